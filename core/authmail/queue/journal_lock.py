"""The lock of the one worker of a journal, and what it knows of a back-up that is restored."""

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# What is locked is far beyond what is written, for on Windows nobody else may read what is locked.
_LOCKED = 1 << 20
_LONGEST = 64

# The system's lock is the process's: a second worker of the same process would have it too, and let go of it for both.
_held: set[Path] = set()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_held.clear)


class WorkerLock:
    """An operating system's lock on a file beside the journal: it ends with its process, whatever ends that.

    The file says how many steps the journal had made when it was last written. A journal that made fewer is an older one, out of a
    back-up: what it holds may have been sent.

    Args:
        journal: the journal's file.
        scope: whose messages the worker sends.
    """

    def __init__(self, journal: Path, scope: str = "") -> None:
        part = f".{hashlib.sha256(scope.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}" if scope else ""
        self._path = journal.resolve().with_name(f"{journal.name}{part}.worker")
        self._descriptor: int | None = None
        self._noted = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)  # which lets go of the lock
            _held.discard(self._path)

    def take(self) -> bool:
        """Whether this worker has the lock now."""
        if self._descriptor is not None:
            return True
        if self._path in _held:
            return False
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor)
        except OSError:
            os.close(descriptor)
            return False
        _held.add(self._path)
        self._descriptor = descriptor
        return True

    @property
    def steps(self) -> int | None:
        """How many steps the journal had made; None where nobody worked here yet."""
        assert self._descriptor is not None  # noqa: S101 (taken)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        text = os.read(self._descriptor, _LONGEST).strip()
        return int(text) if text.isdigit() else None

    def note(self, steps: int) -> None:
        """Write down how many steps the journal has made. On a full disk it stays what it was."""
        if self._descriptor is not None and steps > self._noted:
            self._noted = steps
            with suppress(OSError):
                os.lseek(self._descriptor, 0, os.SEEK_SET)
                os.write(self._descriptor, f"{steps:<24}\n".encode())


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        os.lseek(descriptor, _LOCKED, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
