"""Changes reach the disk: all of them or none, whatever interrupts."""
