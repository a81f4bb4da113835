"""What is logged while something runs, at any level, and by that alone."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_Records = list[logging.LogRecord]
# By context, since other tests may run in other tasks and threads meanwhile.
_gathered: ContextVar[_Records | None] = ContextVar("gathered", default=None)
_lock = threading.Lock()


class _Gatherer(logging.Handler):
    """One for all; it lowers the level of the root logger while anybody gathers."""

    users = 0
    level_before = logging.WARNING

    def emit(self, record: logging.LogRecord) -> None:
        records = _gathered.get()
        if records is not None:
            records.append(record)

    def begin(self) -> None:
        root = logging.getLogger()
        with _lock:
            if self.users == 0:
                self.level_before = root.level
                root.addHandler(self)
                root.setLevel(logging.DEBUG)
            self.users += 1

    def end(self) -> None:
        root = logging.getLogger()
        with _lock:
            self.users -= 1
            if self.users == 0:
                root.setLevel(self.level_before)
                root.removeHandler(self)


_gatherer = _Gatherer()


@contextmanager
def logged() -> Iterator[_Records]:
    """Gather what is logged within the block, tasks that it starts included."""
    records: _Records = []
    token = _gathered.set(records)
    _gatherer.begin()
    try:
        yield records
    finally:
        _gatherer.end()
        _gathered.reset(token)
