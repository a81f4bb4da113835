"""Breaker: a sender that fails is left alone for a while, then tried with one message."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from authmail.delivery.events import report
from authmail.delivery.evidence import Doubts, Speaks, domain_of, speaks_of, weight
from authmail.delivery.opening import Opening, SharedOpening
from authmail.delivery.sender import MessageSender, attempt, deadline_of, name_of, now, rechecked_by, single_sender
from authmail.delivery.stores import Note, Store
from authmail.delivery.trip import Noting
from authmail.mail.email import Mail
from authmail.outcomes import AccountError, NotSent, Phase, Reason, Receipt, SendError, Throttled
from authmail.words.text import NOTHING, say

# A provider's hint to wait is kept up to an hour.
_LONGEST_HINT = 3600.0
# While mail is accepted, what is refused is the recipients' own; strangers may write faster than people do. In seconds.
_QUIET = 120.0
# A domain that took a mail within a day is asked on, whatever is answered for some of its addresses.
_GOOD_FOR = 86400.0
_MOST_GOOD = 1000


class Breaker(Noting):
    """Asks a sender only while it is in order.

    It opens at once on an error of the whole account, since every mail would meet the same; on several failures in a
    row that concern the provider; and for as long as a throttling provider asks for. While it is open nobody is asked: the answer is
    NotSent, or the account error or throttling again. Then one message tries; if that fails too, the rest is twice as long.

    What was answered for a recipient may be that recipient's own, whose address is anybody's. Several such failures in a row, for three and
    more recipients in two and more domains, while nothing was accepted for two minutes, stop only the mail to those domains, until any mail is
    accepted; never to a domain that took one within a day.

    Args:
        sender: who sends.
        name: what people call it; by default its connector.
        failures: so many in a row open it.
        rest: seconds that it stays open at first.
        longest_rest: where the doubling ends, in seconds.
        store: where processes tell each other that it is open, for a Mailer's account; each hears of it within a second.
    """

    passes_once = True

    def __init__(
        self,
        sender: MessageSender,
        *,
        name: str | None = None,
        failures: int = 5,
        rest: float = 10.0,
        longest_rest: float = 60.0,
        store: Store | None = None,
    ) -> None:
        self._sender = sender
        self.name = name or name_of(sender)
        self._failures = failures
        self._first_rest = rest
        self._longest_rest = longest_rest
        self.store = store
        self._shared = SharedOpening(store, single_sender(sender), self.beside) if store is not None else None
        self._failed = 0.0
        self._doubts = Doubts()
        self._good: OrderedDict[str, float] = OrderedDict()
        self._rest = rest
        self._opening: Opening | None = None
        self._probing = False

    @property
    def inside(self) -> tuple[Any, ...]:
        """The sender, and the store if there is one."""
        return (self._sender,) if self.store is None else (self._sender, self.store)

    @property
    def state(self) -> str:
        """``closed``: in order; ``open``: nobody is asked; ``probing``: one message tries, or may. Needs the running loop."""
        if self._opening is None:
            return "closed"
        return "probing" if now() >= self._opening.until else "open"

    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send, or refuse without asking.

        Raises:
            SendError: the sender's; or, with phase before, that it is not asked now.
        """
        deadline = deadline_of(timeout)
        if self._shared is not None and self._shared.is_old():
            self.hear_note(await self._shared.read(deadline))
        opening = self._opening
        is_probe = opening is not None and opening.stops(message.address)
        if opening is not None and is_probe and not await self._may_probe(opening, deadline):
            raise self._refusal(self._opening or opening)
        with self._admitted(is_probe=is_probe):
            if is_probe:
                report("breaker", sender=self.name, state="probing", error=None, seconds=0.0)
            given = deadline - now()
            held_up = _HeldUp(self, message, opening, deadline)
            try:
                with rechecked_by(held_up.check):
                    receipt = await attempt(self._sender, message, deadline, name=self.name)
            except SendError as error:
                if error is held_up.refusal:
                    raise
                self._learn(error, message, is_probe=is_probe, given=given)
                raise
            self._recover(message, is_probe=is_probe)
            return receipt

    async def news(self, known: Opening | None, message: Mail, deadline: float) -> SendError | None:
        """Return why a message that was held up within may not go on: it opened meanwhile, here or in another process."""
        if self._shared is not None and self._shared.is_old():
            self.hear_note(await self._shared.read(deadline))
        opening = self._opening
        if opening is None or opening is known or not opening.stops(message.address):
            return None  # one whose rest is over stops it too: of all who were held up, one tries
        return self._refusal(opening)

    def abandon(self) -> None:
        """In a forked child: the message that tries is the parent's."""
        super().abandon()
        self._probing = False

    def wants_note(self) -> str | None:
        """Return the key of the account's note, if it was not read for half a second."""
        return self._shared.key if self._shared is not None and self._shared.is_old(0.5) else None

    def hear_note(self, note: Note | None) -> None:
        """Take in what another process says of the account."""
        if self._shared is None:
            return
        known = self._opening if self._opening and self._opening.only is None else None
        heard = self._shared.hear(note, known)
        if heard is None and known is not None and not self._probing:
            self._close()
        elif heard is not None and heard is not known:
            self._opening, self._rest = heard, heard.next_rest

    async def _may_probe(self, opening: Opening, deadline: float) -> bool:
        if self._probing or now() < opening.until:
            return False
        if self._shared is None or opening.only is not None:
            return True
        self._probing = True  # while it is asked whether another process does
        try:
            is_ours, note = await self._shared.claim_probe(deadline)
        finally:
            self._probing = False
        if is_ours and opening.is_told:
            self.hear_note(note)
            if self._opening is not None and self._opening is not opening:  # another process tried meanwhile
                self._shared.end_probe()
                return False
        return is_ours

    @contextmanager
    def _admitted(self, *, is_probe: bool) -> Iterator[None]:
        """Let one message through; it may be the one that tries an open breaker. Also left by cancellation."""
        self._probing = self._probing or is_probe
        try:
            yield
        finally:
            if is_probe:
                self._probing = False
                if self._shared is not None:
                    self._shared.end_probe()

    def _learn(self, error: SendError, message: Mail, *, is_probe: bool, given: float) -> None:
        speaks = speaks_of(error)
        if speaks is Speaks.PROVIDER_WORKS:
            if is_probe:
                self._close(told=True)
        elif speaks is Speaks.RECIPIENT:
            self._doubt(error, message, is_probe=is_probe)
        elif speaks is not Speaks.NOTHING and (is_probe or self._opening is None or self._opening.only is not None):
            # What began before the breaker opened tells nothing new.
            self._weigh(error, speaks, is_probe=is_probe, given=given)

    def _weigh(self, error: SendError, speaks: Speaks, *, is_probe: bool, given: float) -> None:
        """Open because of a failure, or count it."""
        counts = weight(given)
        if speaks is Speaks.PACE:
            if error.retry_after:
                self._open(error, min(error.retry_after, _LONGEST_HINT))
        elif speaks is Speaks.ACCOUNT or (is_probe and counts == 1.0):
            self._open_longer(error)
        else:
            self._failed += counts
            if self._failed >= self._failures:
                self._open_longer(error)

    def _doubt(self, error: SendError, message: Mail, *, is_probe: bool) -> None:
        """Count what may be the recipient's own; with enough of it, stop mail to where it came from."""
        opening = self._opening
        if opening is not None and opening.only is None:
            return
        self._doubts.add(message.address)
        if is_probe:
            self._open_longer(error, opening.only if opening else None)
        elif self._doubts.are_many(self._failures) and self._is_quiet():
            doubtful = frozenset(domain for domain in self._doubts.domains if not self._is_good(domain))
            if opening is not None and opening.only is not None:
                opening.only |= doubtful
            elif doubtful:
                self._open_longer(error, doubtful)

    def _is_quiet(self) -> bool:
        return not self._good or now() - next(reversed(self._good.values())) >= _QUIET

    def _is_good(self, domain: str) -> bool:
        return now() - self._good.get(domain, -_GOOD_FOR) < _GOOD_FOR

    def _open_longer(self, error: SendError, only: frozenset[str] | None = None) -> None:
        rest, self._rest = self._rest, min(self._rest * 2, self._longest_rest)
        self._open(error, rest, only)

    def _open(self, error: SendError, seconds: float, only: frozenset[str] | None = None) -> None:
        self._opening = Opening(until=now() + seconds, cause=error.afresh(), next_rest=self._rest, only=only)
        if self._shared is not None and only is None:
            self._shared.tell(self._opening, seconds)
        report("breaker", sender=self.name, state="open", error=error, seconds=seconds)

    def _recover(self, message: Mail, *, is_probe: bool) -> None:
        domain = domain_of(message.address)
        self._good[domain] = now()
        self._good.move_to_end(domain)
        if len(self._good) > _MOST_GOOD:
            self._good.popitem(last=False)
        opening = self._opening
        if opening is None:
            self._failed = 0.0
            self._doubts = Doubts()
        elif is_probe or opening.only is not None:
            self._close(told=True)

    def _close(self, *, told: bool = False) -> None:
        """Close it; ``told``: because of what was seen here, of which others hear."""
        was = self._opening
        self._opening, self._failed, self._rest, self._doubts = None, 0.0, self._first_rest, Doubts()
        if told and was is not None:
            if self._shared is not None and was.only is None:
                self._shared.tell_closed()
            report("breaker", sender=self.name, state="closed", error=None, seconds=0.0)

    def _refusal(self, opening: Opening) -> SendError:
        wait = max(0.0, opening.until - now())
        cause = opening.cause
        hint = (
            say(
                "{sender} is not asked now, since it failed before ({outcome}: {hint})",
                sender=self.name,
                outcome=cause.outcome,
                hint=cause.hint,
            )
            if cause
            else NOTHING
        )
        if isinstance(cause, AccountError | Throttled):
            return cause.afresh(hint=hint, phase=Phase.BEFORE, retry_after=wait)
        connector = cause.connector if cause else ""
        return NotSent(hint, reason=Reason.PROVIDER, phase=Phase.BEFORE, retry_after=wait, connector=connector)


class _HeldUp:
    """A message that may be held up within the breaker, such as by a pace."""

    def __init__(self, breaker: Breaker, message: Mail, known: Opening | None, deadline: float) -> None:
        self._asked = breaker, known, message, deadline
        self.refusal: SendError | None = None

    async def check(self) -> None:
        """Refuse it if the breaker opened meanwhile."""
        breaker, known, message, deadline = self._asked
        self.refusal = await breaker.news(known, message, deadline)
        if self.refusal is not None:
            raise self.refusal
