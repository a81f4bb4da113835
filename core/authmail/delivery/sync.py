"""A delivery without ``await``, for hosts that have no event loop: Django, Flask, scripts.

It runs on the background loop of :mod:`authmail.sync`, opens by itself at the first send, and may be used from any thread.
"""

import os
from typing import Any

from authmail.delivery import delivery
from authmail.delivery.file import composition
from authmail.delivery.sender import Step
from authmail.delivery.ticket import MessageQueue, State, Ticket
from authmail.mail.email import Mail
from authmail.mail.message import Message
from authmail.privacy import raise_afresh
from authmail.sync import Blocking, run
from authmail.templates.template import Template

__all__ = ["Delivery", "load"]


class Delivery(Blocking):
    """:class:`authmail.delivery.Delivery` with the same names and errors, without ``await``.

    Args:
        wrapped: the delivery; it is opened and closed here.
    """

    def __init__(self, wrapped: delivery.Delivery) -> None:
        super().__init__(wrapped)
        self._delivery = wrapped

    @property
    def queue(self) -> MessageQueue | None:
        """Where :meth:`enqueue` puts messages; None where there is none."""
        return self._delivery.queue

    @raise_afresh
    def template_of(self, message: Message) -> Template | None:
        """Return the template of a message, see :meth:`authmail.delivery.Delivery.template_of`."""
        return run(self._delivery.template_of(message))

    @raise_afresh
    def explain(self, message: Message) -> list[Step]:
        """Say what would be decided about a message, see :meth:`authmail.delivery.Delivery.explain`."""
        return run(self._delivery.explain(message))

    @raise_afresh
    def forget(self, address: str) -> int:
        """Forget what limits count of an address, see :meth:`authmail.delivery.Delivery.forget`."""
        return run(self._delivery.forget(address))

    @raise_afresh
    def enqueue(self, message: Mail, **options: Any) -> Ticket:
        """Queue a message; arguments and errors as of :meth:`authmail.delivery.Delivery.enqueue`."""
        transaction: Any = options.get("transaction")
        if hasattr(transaction, "ensure_connection"):  # Django's, which is another in each thread
            transaction.ensure_connection()
            options["transaction"] = transaction.connection
        run(self._open())
        return run(self._delivery.enqueue(message, **options))

    @raise_afresh
    def state(self, ticket: str) -> State | None:
        """Return what has become of a queued message, see :meth:`authmail.delivery.Delivery.state`."""
        run(self._open())
        return run(self._delivery.state(ticket))


@raise_afresh
def load(path: str | os.PathLike[str], **options: Any) -> Delivery:
    """Read ``authmail.toml``; arguments and errors as of :func:`authmail.load`."""
    return Delivery(composition.load(path, **options))
