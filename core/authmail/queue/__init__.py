"""A durable queue before a delivery: for hosts that must answer at once, and outlast a provider's bad quarter of an hour.

A ``[queue]`` table in ``authmail.toml`` makes one; :meth:`authmail.delivery.Delivery.enqueue` puts a message there, and ``authmail worker``
or :func:`work` sends it.
"""

from authmail.delivery.ticket import State, Ticket, TicketState
from authmail.queue.engine import Engine, QueueError, Row, Statistics, Verdict
from authmail.queue.journal import Journal
from authmail.queue.queue import Queue
from authmail.queue.sealing import QueueKeys, new_key
from authmail.queue.worker import work

__all__ = [
    "Engine",
    "Journal",
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
