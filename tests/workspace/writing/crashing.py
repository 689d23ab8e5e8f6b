"""Faults at the n-th operation on the disk, in this process or in a forked one that dies of it."""

import builtins
import io
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any
from unittest.mock import patch

READING = ("lstat", "listdir")
WRITING = ("open", "mkdir", "rmdir", "unlink", "replace", "chmod", "fsync", "truncate")

Fault = Callable[[], None]


def disk_full() -> None:
    raise OSError(28, "No space left on device")


def interrupt() -> None:
    raise KeyboardInterrupt


def leave() -> None:
    os._exit(99)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Operations:
    """What was done to the disk, by name; at number `at` comes the fault."""

    def __init__(self, fault: Fault, at: int | None, after: bool) -> None:
        self.names: list[str] = []
        self._fault = fault
        self._at = at
        self._after = after

    @property
    def struck(self) -> str | None:
        """The operation that was hit."""
        is_hit = self._at is not None and self._at < len(self.names)
        return self.names[self._at or 0] if is_hit else None

    def run(self, name: str, real: Callable[[], Any], torn: Callable[[], Any] | None = None) -> Any:
        """Do it, unless the fault comes first; `torn` does the half of it."""
        self.names.append(name)
        is_hit = len(self.names) - 1 == self._at
        if is_hit and not self._after:
            if torn:
                torn()
            self._fault()
        result = None
        try:
            result = real()
        finally:
            if is_hit and self._after:
                if isinstance(result, io.IOBase):
                    result.close()
                self._fault()
        return result


class _File:
    """An open file whose writes are operations too, and can be torn."""

    def __init__(self, real: Any, operations: Operations) -> None:
        self._real = real
        self._operations = operations

    def __enter__(self) -> "_File":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._real.close()

    def write(self, content: bytes) -> None:
        def torn() -> None:
            self._real.write(content[: len(content) // 2])
            self._real.flush()

        self._operations.run("write", lambda: self._real.write(content), torn)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@contextmanager
def counting(
    fault: Fault = disk_full, at: int | None = None, *, after: bool = False, reading: bool = False
) -> Iterator[Operations]:
    """Count operations that write, with `reading` all, and strike at one of them."""
    operations = Operations(fault, at, after)
    with ExitStack() as patches:
        for name in WRITING + (READING if reading else ()):
            patches.enter_context(patch.object(os, name, _counted(name, operations)))
        real_open, real_read = Path.open, Path.read_bytes

        def open_file(self: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
            if "r" in mode:
                return real_open(self, mode, *rest, **options)
            opened = operations.run("create", lambda: real_open(self, mode, *rest, **options))
            return _File(opened, operations)

        def read_file(self: Path) -> Any:
            return operations.run("read", lambda: real_read(self))

        patches.enter_context(patch.object(Path, "open", open_file))
        if reading:
            patches.enter_context(patch.object(Path, "read_bytes", read_file))
        yield operations


def _counted(name: str, operations: Operations) -> Callable[..., Any]:
    # Nothing here pulls the plug, so that waiting for the disk would show nothing.
    real = getattr(os, name) if name != "fsync" else lambda descriptor: None

    def counted(*arguments: Any, **options: Any) -> Any:
        return operations.run(name, lambda: real(*arguments, **options))

    return counted


@contextmanager
def interrupted_at_line(number: int | None, module_folder: Path) -> Iterator[list[str]]:
    """KeyboardInterrupt before the n-th line that is run of the modules in a folder."""
    lines: list[str] = []
    prefix = str(module_folder)

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(prefix):
            return None
        if event == "line":
            lines.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
            if len(lines) - 1 == number:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lines
    finally:
        sys.settrace(before)


def in_child(action: Callable[[], object]) -> int:
    """Run something in a forked process: 0 if it returned, 1 if it raised, else as it died."""
    with warnings.catch_warnings():
        # The workers of pytest-xdist have a second thread; the child does nothing that needs it.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            action()
            status = 0
        except BaseException:
            builtins.print(traceback.format_exc(), file=sys.__stderr__, flush=True)
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
