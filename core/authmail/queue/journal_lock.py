"""The lock of the one worker of a journal, and what it knows of a back-up that is restored."""

import os
import sys
from pathlib import Path
from typing import Self

if sys.platform != "win32":
    import fcntl


class WorkerLock:
    """An operating system's lock on a file beside the journal: it ends with its process, whatever ends that.

    The file says how many messages the journal had ended when it was last written. A journal that says fewer is an older one, out of a
    back-up: what it holds may have been sent.

    Args:
        path: the file; made if it is not there, for its owner alone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)  # which lets go of the lock
            self._descriptor = None

    def take(self) -> bool:
        """Whether this process has the lock now."""
        assert self._descriptor is not None  # noqa: S101 (entered)
        if sys.platform == "win32":
            return True
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    @property
    def ended(self) -> int | None:
        """How many messages had ended; None where nobody worked here yet."""
        assert self._descriptor is not None  # noqa: S101 (entered)
        text = os.pread(self._descriptor, 64, 0).strip()
        return int(text) if text.isdigit() else None

    def note(self, ended: int) -> None:
        """Write down how many messages have ended."""
        assert self._descriptor is not None  # noqa: S101 (entered)
        os.pwrite(self._descriptor, f"{ended:<24}\n".encode(), 0)
