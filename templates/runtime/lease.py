"""Who is loading: a lease saves two runs from doing the same work. It is a courtesy, not a lock."""

from __future__ import annotations

import os
import socket

LEASE_SECONDS = 300.0


def this_process() -> str:
    """The owner to record for an attempt that lives and dies with this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_alive(owner: str | None) -> bool:
    """Whether the owner may still be at work; only a process of this host is known to be gone.

    An attempt without an owner is spread over several processes: its lease alone decides.
    """
    host, _, pid = (owner or "").rpartition(":")
    if host != socket.gethostname() or not pid.isdecimal():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
