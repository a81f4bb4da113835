"""One mail over an open connection: MAIL, RCPT, DATA."""

import time
from typing import TYPE_CHECKING

import attrs

from authmail import MessageRejected, NotSentInTime, Phase, Reason, Receipt, checks, hide_fields, say
from authmail_smtp.mail import Mail
from authmail_smtp.replies import failure, receipt
from authmail_smtp.session.wire import Wire
from authmail_smtp.steps import Step

if TYPE_CHECKING:
    from authmail import Http

_COMPLETED = 250
_WILL_FORWARD = 251
_START_INPUT = 354
_REFUSALS = 400


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class Session:
    """An open connection and what its server can do.

    Args:
        wire: the connection.
        extensions: what EHLO offered, lower case → parameters.
        patience: seconds for each answer, from the config; None for all that the mail has left.
        facts: what was learned while opening, for people.
    """

    wire: Wire
    extensions: dict[str, str]
    patience: float | None
    facts: dict[str, str]
    opened_at: float = attrs.field(factory=time.monotonic, init=False)
    used_at: float = attrs.field(factory=time.monotonic, init=False)
    mails: int = attrs.field(default=0, init=False)
    #: Whether a mail was begun and refused, so that the server must be told to forget it.
    begun: bool = attrs.field(default=False, init=False)

    async def is_alive(self, until: float) -> bool:
        """Ask the server whether it is still there, and end a mail that it refused."""
        if not self.wire.usable:
            return False
        command = b"RSET" if self.begun else b"NOOP"
        reply = await self.wire.ask(Step.SENDER, command, limit=self._limit(Step.SENDER, until))
        self.begun = False
        return reply.code == _COMPLETED and self.wire.usable

    async def send(self, mail: Mail, http: "Http", until: float) -> Receipt:
        """Send one mail.

        Args:
            mail: the mail.
            http: is told when the mail itself begins to go out.
            until: when it must be done, on the clock of :func:`time.monotonic`.

        Raises:
            SendError: what a reply, or its absence, means at that step.
        """
        options = self._options(mail)
        self.mails += 1
        self.begun = True
        encoding = "utf-8" if mail.needs_utf8 else "ascii"
        sender, recipient = (f"<{address}>".encode(encoding) for address in (mail.sender, mail.recipient))
        await self._ask(Step.SENDER, until, b"MAIL", b"FROM:" + sender, *options)
        await self._ask(Step.RECIPIENT, until, b"RCPT", b"TO:" + recipient)
        await self._ask(Step.DATA, until, b"DATA")
        limit = self._limit(Step.CONTENT, until)
        http.mail_begun = True
        reply = await self.wire.hand_over(mail.data, limit)
        self.begun = False
        self.used_at = time.monotonic()
        return receipt(reply, mail.message_id, self.wire.where)

    async def _ask(self, step: Step, until: float, *words: bytes) -> None:
        reply = await self.wire.ask(step, *words, limit=self._limit(step, until))
        self.used_at = time.monotonic()
        if reply.code not in _WANTED[step]:
            if reply.code < _REFUSALS:
                # Not in order: what the server means by it, and by the next reply, is anybody's guess.
                self.wire.cut()
            raise failure(step, reply, self.wire.where)

    def _options(self, mail: Mail) -> list[bytes]:
        """Return the parameters of MAIL.

        Raises:
            MessageRejected: the server cannot take such a mail, and says so.
        """
        options = []
        if "size" in self.extensions:
            largest = checks.read_number(self.extensions["size"]) or 0
            if 0 < largest < len(mail.data):
                hint = say(
                    "the mail has {count} bytes, the server takes at most {largest}", count=len(mail.data), largest=largest
                )
                raise MessageRejected(hint, reason=Reason.CONTENT, phase=Phase.BEFORE)
            options.append(b"SIZE=%d" % len(mail.data))
        if mail.needs_utf8:
            if "smtputf8" not in self.extensions:
                hint = say("an address has letters beyond ASCII before its @, which this server does not take (SMTPUTF8)")
                raise MessageRejected(hint, reason=Reason.RECIPIENT, phase=Phase.BEFORE)
            options += [b"BODY=8BITMIME", b"SMTPUTF8"] if "8bitmime" in self.extensions else [b"SMTPUTF8"]
        return options

    def _limit(self, step: Step, until: float) -> float:
        left = until - time.monotonic()
        if left <= 0:
            self.wire.cut()
            raise NotSentInTime(say("{step} at {where}: no time was left", step=step, where=self.wire.where), phase=Phase.DURING)
        return left if self.patience is None else min(left, self.patience)


_WANTED = {
    Step.SENDER: (_COMPLETED,),
    Step.RECIPIENT: (_COMPLETED, _WILL_FORWARD),
    Step.DATA: (_START_INPUT,),
}
