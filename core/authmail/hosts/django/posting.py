"""How a message leaves a view: by the queue, together with the transaction that it belongs to; else beside the request."""

import asyncio
from functools import partial
from typing import Any

from django.db import transaction

from authmail.delivery.ticket import Ticket
from authmail.hosts.django.outboxes import delivery
from authmail.hosts.outbox import Outbox
from authmail.mail.email import Mail
from authmail.outcomes import SendError
from authmail.privacy import log_of

_log = log_of("authmail.hosts")


def post(message: Mail, *, outbox: Outbox | None = None) -> None:
    """Hand a message over and wait for no provider; nobody learns from an answer or its time who has an account.

    With a queue it is queued, durably, when this returns. Without, it is sent by a task of this process, which ends with the
    process. Within ``transaction.atomic`` it goes when that is committed, and not at all if it is rolled back. What becomes of it
    is told to log, plugins and alerts of the delivery, and never raised. From a coroutine it may be called as it is.

    Args:
        message: what to send.
        outbox: by which; that of the setting ``AUTHMAIL`` by default.

    Raises:
        ConfigError: the setting cannot be used.
    """
    outbox = delivery() if outbox is None else outbox
    if _is_in_loop():  # where Django has no transactions, and nothing may block
        outbox.put(message)
    elif outbox.queue is not None:
        _queued_or_told(outbox, message)
    elif transaction.get_connection().in_atomic_block:
        transaction.on_commit(partial(outbox.put, message))
    else:
        outbox.put(message)


def enqueue(outbox: Outbox, message: Mail) -> Ticket | None:
    """Queue a message. Within ``transaction.atomic`` it is queued if that is committed.

    Args:
        outbox: which has a queue.
        message: what to send.

    Returns:
        The ticket; None where the queue is elsewhere than the transaction, and so is asked after the commit.

    Raises:
        SendError: as of :meth:`authmail.delivery.Delivery.enqueue`.
    """
    connection = None if _is_in_loop() else transaction.get_connection()
    if connection is None or not connection.in_atomic_block:
        return outbox.enqueue(message)
    if _is_in_database_of(connection, outbox):
        return outbox.enqueue(message, transaction=connection)
    transaction.on_commit(partial(_queued_or_told, outbox, message))
    return None


def _queued_or_told(outbox: Outbox, message: Mail) -> None:
    try:
        enqueue(outbox, message)
    except SendError as error:
        _log.error("a message of type %s was not queued: %s", message.usage_type, error)


def _is_in_database_of(connection: Any, outbox: Outbox) -> bool:
    """Whether the queue's tables are in the database of a connection. By its name: a pooler has another host and port."""
    place = str(getattr(getattr(outbox.queue, "engine", None), "place", ""))
    if connection.vendor != "postgresql" or not place.startswith("postgresql://"):
        return False
    connection.ensure_connection()
    return bool(place.rpartition("/")[2] == connection.connection.info.dbname)


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
