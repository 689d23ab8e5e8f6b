"""Run a command and print what the operating system says that it took, as JSON.

A script of its own, because a process's peak memory begins with what its parent had in use.
"""

import json
import os
import sys
import time

BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss

to_stderr = (os.POSIX_SPAWN_DUP2, 2, 1)
started = time.monotonic()
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[to_stderr])
_, status, usage = os.wait4(process, 0)
wall = time.monotonic() - started
cpu = usage.ru_utime + usage.ru_stime
print(json.dumps({"wall": wall, "cpu": cpu, "peak": usage.ru_maxrss * BYTES}))
sys.exit(status != 0)
