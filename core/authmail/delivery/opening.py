"""That a breaker is open, and how processes tell each other."""

import asyncio
import json
import secrets
from typing import Any

import attrs

from authmail import outcomes
from authmail.connect.beside import Beside
from authmail.delivery.evidence import domain_of
from authmail.delivery.sender import now
from authmail.delivery.stores import Begun, Claim, Note, Store, StoreError, asked
from authmail.mailer import Mailer
from authmail.outcomes import SendError
from authmail.privacy import log_of

_log = log_of("authmail.delivery")

# How old what is known of other processes may be, in seconds.
_OLD = 1.0
# For how long after its end an opening is remembered, so that one message tries before all do; in seconds.
_REMEMBERED = 3600.0
# What a store may take, in seconds: no message waits longer for a word of other processes.
_PATIENCE = 1.0
_AFTERWARDS = 5.0


@attrs.define(eq=False)
class Opening:
    """That a breaker is open.

    Args:
        until: a time of the loop; then one message tries.
        cause: why.
        next_rest: how long the next one would be, in seconds.
        only: the domains to which no mail goes; None for all.
        token: tells it from others.
        is_told: whether the store has it.
    """

    until: float
    cause: SendError | None
    next_rest: float
    only: frozenset[str] | None = None
    token: str = attrs.field(factory=lambda: secrets.token_hex(8))
    is_told: bool = False

    def stops(self, address: str) -> bool:
        """Whether mail to an address does not go."""
        return self.only is None or domain_of(address) in self.only


class SharedOpening:
    """What the processes of one store tell each other of an account: that it is not to be asked, and who tries.

    Args:
        store: the store.
        sender: a Mailer, whose account it is; another sender's is nobody else's.
        beside: goes on with what no message waits for.
    """

    def __init__(self, store: Store, sender: object, beside: Beside) -> None:
        self._store = store
        self._sender = sender
        self._beside = beside
        self._heard: float | None = None
        self._probe: tuple[Claim, Begun] | None = None
        self._telling: asyncio.Task[Any] | None = None
        self._others_probe_until = 0.0

    @property
    def key(self) -> str | None:
        """The key of the account's note; None where nobody shares it."""
        return (
            self._sender.account(lambda *parts: self._store.digest("breaker", *parts))
            if isinstance(self._sender, Mailer)
            else None
        )

    def is_old(self, share: float = 1.0) -> bool:
        """Whether what is known was heard too long ago.

        Args:
            share: of that time; what costs no trip of its own is asked for earlier.
        """
        return isinstance(self._sender, Mailer) and (self._heard is None or now() - self._heard >= _OLD * share)

    async def read(self, deadline: float) -> Note | None:
        """Return the note, as a message alone asks for it."""
        key = str(self.key)
        patience = min(_PATIENCE, (deadline - now()) / 2)
        self._heard = now()  # others need not ask meanwhile
        try:
            begun = await asked(self._store.begin(Claim(notes=(key,)), timeout=patience), patience)
        except StoreError as error:
            _log.warning("nothing is heard of other processes' breakers: %s", error)
            return None
        return begun.notes.get(key)

    def hear(self, note: Note | None, known: Opening | None) -> Opening | None:
        """Return the opening that holds now, of the one that is known here and what the note says.

        Args:
            note: what the store has.
            known: what is known here.
        """
        self._heard = now()
        if note is None:
            return known if known is not None and not known.is_told else None
        if known is not None and not known.is_told:
            return known  # it is newer, and on its way to the store
        try:
            said = json.loads(note.text)
            if known is not None and known.token == said["token"]:
                return known
            return Opening(
                until=now() + note.left - _REMEMBERED,
                cause=_cause(said["cause"]),
                next_rest=float(said["rest"]),
                token=str(said["token"]),
                is_told=True,
            )
        except (ValueError, TypeError, LookupError):  # of another release
            return known

    def tell(self, opening: Opening, seconds: float) -> None:
        """Let others know at once."""
        cause = opening.cause
        said = {"token": opening.token, "rest": opening.next_rest, "cause": cause and [type(cause).__name__, _attributes(cause)]}
        text = json.dumps(said, default=str)
        telling = self._tell(opening, text, seconds + _REMEMBERED)
        self._telling = self._beside.begin("the note of a breaker", telling, 2 * _AFTERWARDS)

    def tell_closed(self) -> None:
        """Let others know that it is in order again."""
        self._telling = self._beside.begin("the note of a breaker", self._tell(None, None, 0.0), 2 * _AFTERWARDS)

    async def _tell(self, opening: Opening | None, text: str | None, keep: float) -> None:
        key = self.key
        if key is None:
            return
        if opening is not None:
            begun = await asked(self._store.begin(Claim(notes=(key,)), timeout=_AFTERWARDS), _AFTERWARDS)
            theirs = begun.notes.get(key)
            if theirs is not None and theirs.left > keep:  # another process opened it for longer: that holds, here too
                opening.is_told = True
                return
        await asked(self._store.note(key, text, keep=keep, timeout=_AFTERWARDS), _AFTERWARDS)
        if opening is not None:
            opening.is_told = True

    async def claim_probe(self, deadline: float) -> tuple[bool, Note | None]:
        """Whether no other process tries the account just now; then this one does, until :meth:`end_probe`. And the note as it is then."""
        key = self.key
        if key is None:
            return True, None
        if now() < self._others_probe_until:
            return False, None
        left = deadline - now()
        claim = Claim(key=f"{key}/probe", fingerprint="probe", lease=left, keep=left, notes=(key,))
        patience = min(_PATIENCE, left / 2)
        try:
            begun = await asked(self._store.begin(claim, timeout=patience), patience)
        except StoreError as error:
            _log.warning("nothing is heard of other processes' breakers: %s", error)
            return True, None
        if begun.entry is not None:
            self._others_probe_until = now() + min(_OLD, max(begun.entry.lease, 0.0))
            return False, None
        self._probe = claim, begun
        return True, begun.notes.get(key)

    def end_probe(self) -> None:
        """Let others try again, when they may."""
        if self._probe is not None:
            (claim, begun), self._probe = self._probe, None
            self._beside.begin("the end of a probe", self._end_probe(claim, begun, self._telling), 2 * _AFTERWARDS)

    async def _end_probe(self, claim: Claim, begun: Begun, telling: asyncio.Task[Any] | None) -> None:
        if telling is not None:  # whoever tries next knows what came of it
            await asyncio.wait({telling})
        await asked(self._store.end(claim, begun, answer=None, uncount=(), timeout=_AFTERWARDS), _AFTERWARDS)


def _attributes(error: SendError) -> dict[str, Any]:
    return {name: value for name, value in error.to_dict().items() if name not in ("outcome", "detail", "request_id")}


def _cause(said: Any) -> SendError | None:
    if said is None:
        return None
    kind = getattr(outcomes, str(said[0]), SendError)
    return kind(**said[1]) if isinstance(kind, type) and issubclass(kind, SendError) else None
