"""A durable queue before a delivery: for hosts that must answer at once, and outlast a provider's bad quarter of an hour.

A ``[queue]`` table in ``authmail.toml`` makes one; :meth:`authmail.delivery.Delivery.enqueue` puts a message there, and ``authmail worker``
or :func:`work` sends it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from authmail.delivery.ticket import State, Ticket, TicketState
from authmail.queue.engine import Engine, QueueError, Row, Statistics, Verdict
from authmail.queue.journal import Journal
from authmail.queue.queue import Queue
from authmail.queue.sealing import QueueKeys, new_key
from authmail.queue.worker import work

if TYPE_CHECKING:
    from authmail.queue.procrastinate import Procrastinate


def __getattr__(name: str) -> Any:
    if name != "Procrastinate":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return import_module("authmail.queue.procrastinate").Procrastinate  # needs an extra
    except ImportError as error:
        missing = error.name
    raise ImportError(f"this engine needs {missing}; pip install 'authmail[postgres]'", name=missing)


__all__ = [
    "Engine",
    "Journal",
    "Procrastinate",
    "Queue",
    "QueueError",
    "QueueKeys",
    "Row",
    "State",
    "Statistics",
    "Ticket",
    "TicketState",
    "Verdict",
    "new_key",
    "work",
]
