"""Django's email backend: what is rendered already passes through, with authmail's answers."""

from collections.abc import Iterable
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend

from authmail.delivery.ticket import Ticket
from authmail.errors import ConfigError
from authmail.hosts.django.mails import mails_of
from authmail.hosts.django.outboxes import delivery
from authmail.hosts.django.posting import enqueue
from authmail.hosts.outbox import Outbox, Source
from authmail.mail.email import Mail
from authmail.outcomes import Receipt, SendError
from authmail.privacy import log_of, raise_afresh

_log = log_of("authmail.hosts")


class EmailBackend(BaseEmailBackend):  # type: ignore[misc]  # Django has no types
    """For ``EMAIL_BACKEND``, and for ``MAILERS`` of Django 6.1.

    It waits for the provider's answer, as Django's own backends do, and where the config has a queue for that one only. Each
    message has the answers afterwards: ``message.authmail_receipts``, of each recipient a :class:`~authmail.Receipt`, a
    :class:`~authmail.delivery.ticket.Ticket` where it was queued, None where it is queued after the commit, or a
    :class:`~authmail.SendError`.

    Args:
        fail_silently: errors are told to log, plugins and alerts alone.
        config: the path of an ``authmail.toml``, or the same as a dict, in the ``OPTIONS`` of a mailer; the setting ``AUTHMAIL``
            by default.
        **options: Django's own, such as ``alias``.
    """

    def __init__(self, fail_silently: bool = False, *, config: Source | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.fail_silently = fail_silently
        self._config = config

    @raise_afresh
    def send_messages(self, email_messages: Iterable[Any]) -> int:
        """Send messages, each to all of its recipients; return how many of them were taken for at least one.

        Args:
            email_messages: of ``django.core.mail``.

        Raises:
            SendError: the first that a recipient's mail met, once all recipients of that message were tried. Later messages are not
                tried, as with Django's own backends.
            ConfigError: the config cannot be used.
        """
        taken = 0
        for message in email_messages or ():
            try:
                answers = self._answers(message)
            except (ConfigError, SendError) as error:
                if not self.fail_silently:
                    raise
                _log.error("a mail was not sent: %s", error)
                continue
            errors = [one for one in answers.values() if isinstance(one, SendError)]
            if errors and not self.fail_silently:
                raise errors[0]
            taken += len(answers) > len(errors)
        return taken

    def _answers(self, message: Any) -> dict[str, Receipt | Ticket | SendError | None]:
        answers: dict[str, Receipt | Ticket | SendError | None] = {}
        message.authmail_receipts = answers
        outbox = delivery(self._config)
        for recipient, mail in mails_of(message).items():
            answers[recipient] = _answer(outbox, mail)
        return answers


def _answer(outbox: Outbox, mail: Mail) -> Receipt | Ticket | SendError | None:
    try:
        return outbox.send(mail) if outbox.queue is None else enqueue(outbox, mail)
    except SendError as error:
        return error
