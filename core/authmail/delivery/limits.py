"""Limits: how many messages a recipient, a client and the whole account may have in a while."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Any

from authmail.delivery.events import passage
from authmail.delivery.sender import MessageSender, Step, attempt, deadline_of
from authmail.delivery.sharing import where_shared
from authmail.delivery.stores import Claim, Limit, MemoryStore, Store
from authmail.delivery.trip import Claiming, Trip, joined, set_out, shared
from authmail.errors import Misused
from authmail.mail.email import Mail
from authmail.outcomes import MessageRejected, OutcomeUnknown, Phase, Receipt, SendError

#: What Logto's server allows one recipient (its consts of 2026-08): ten mails in ten minutes.
RECIPIENT_LIMIT = Limit(10, 600)
#: One client: an office behind one address signs in too.
CLIENT_LIMIT = Limit(60, 600)

# One household or attacker has a whole /64 of IPv6.
_IPV6_PREFIX = 64
_QUOTED_PAIR = re.compile(r"\\(.)")
# As proxies write an address: with a port, in brackets, or the first of a list.
_FORWARDED = re.compile(r"\s*\"?(?:\[(?P<v6>[^\]]*)\](?::\d+)?|(?P<v4>[\d.]+)(?::\d+)?)\"?\s*")


class Limits(Claiming):
    """Refuses messages beyond a limit before anything is sent: :class:`~authmail.Limited`, with the seconds to wait.

    Counted is what was accepted or may have been. A message that was not sent is taken back. What the provider itself
    refused stays counted for client and account, so that made-up addresses end; never for the recipient.

    Args:
        sender: who sends.
        store: where counts are kept; in memory by default, of this process alone.
        recipient: for each recipient, whatever the case, tag or spelling of the address; None for no limit.
        ip: for each client that asks (``Message.ip``), where the host gives it; an IPv6 client is its /64. None for no limit.
        account: for everything sent through here.
        scope: keeps the counts of several of these apart in one store, such as a tenant's id; the name of the Delivery around it
            by default.
        strict: refuse to send while the store cannot be used; by default messages then go out uncounted, with a
            warning in the log, since people could not sign in otherwise.
    """

    passes_once = True

    def __init__(
        self,
        sender: MessageSender,
        *,
        store: Store | None = None,
        recipient: Limit | None = RECIPIENT_LIMIT,
        ip: Limit | None = CLIENT_LIMIT,
        account: Limit | None = None,
        scope: str = "",
        strict: bool = False,
    ) -> None:
        self._sender = sender
        self.store = MemoryStore() if store is None else store
        self._recipient = recipient
        self._ip = ip
        self._account = account
        self.scope = scope
        self.strict = strict

    def around(self, sender: MessageSender) -> "Limits":
        """Return the same limits around another sender."""
        limits = {"recipient": self._recipient, "ip": self._ip, "account": self._account}
        return Limits(sender, store=self.store, scope=self.scope, strict=self.strict, **limits)

    @property
    def inside(self) -> tuple[Any, ...]:
        """The sender and the store."""
        return (self._sender, self.store)

    def steps(self, message: Mail) -> Iterable[Step]:
        """Name the limits that count this message."""
        counted = {"recipient": self._recipient, "account": self._account}
        if message.ip:
            counted["client"] = self._ip
        where = where_shared(self.store)
        for name, limit in counted.items():
            if limit is not None:
                what = f"counted is what was or may have been sent, {where}"
                yield Step(f"limit per {name}", f"{limit.most} in {limit.seconds:g} s", what)

    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send a message if the limits leave room.

        Raises:
            Limited: they do not; nothing was sent.
            SendError: the sender's.
        """
        deadline = deadline_of(timeout)
        trip = joined(self)
        if trip is not None:
            return await self._counted(trip, message, deadline)
        trip = await set_out(self, message, deadline)
        try:
            with shared(trip):
                return await self._counted(trip, message, deadline)
        finally:
            await trip.end(deadline)

    def claim(self, message: Mail, timeout: float) -> Claim:
        """Return the keys that a message counts under."""
        return Claim(counts=tuple((key, limit) for _, key, limit in self._counts(message)))

    async def _counted(self, trip: Trip, message: Mail, deadline: float) -> Receipt:
        try:
            return await attempt(self._sender, message, deadline)
        except OutcomeUnknown:
            raise
        except SendError as error:
            stays = isinstance(error, MessageRejected) and error.phase is not Phase.BEFORE
            trip.uncount(key for what, key, _ in self._counts(message) if not stays or what == "recipient")
            raise
        except Misused:
            trip.uncount(key for _, key, _ in self._counts(message))
            raise

    def keys_of(self, address: str, scope: str) -> Iterable[str]:
        """Return the keys that messages to an address count under as its own; none where it has no limit."""
        if self._recipient is None:
            return ()
        return (self._key("recipient", self.scope or scope, self._recipient, same_person(address)),)

    def _counts(self, message: Mail) -> Iterator[tuple[str, str, Limit]]:
        """Yield what is counted, the key and the limit."""
        scope = self.scope or passage().scope
        for what, limit, who in self._whose(message):
            yield what, self._key(what, scope, limit, who), limit

    def _key(self, what: str, scope: str, limit: Limit, who: str) -> str:
        # Limits of several lengths around each other count apart.
        return self.store.digest(what, scope, str(limit.seconds), who)

    def _whose(self, message: Mail) -> Iterator[tuple[str, Limit, str]]:
        if self._recipient is not None:
            yield "recipient", self._recipient, same_person(message.address)
        if self._ip is not None and message.ip:
            yield "ip", self._ip, _client(message.ip)
        if self._account is not None:
            yield "account", self._account, ""


def canonical_address(address: str) -> str:
    """Return an address for comparison: without quotes, in lower case.

    Args:
        address: as of ``Message.address``.
    """
    seen = address
    if not address.isascii():  # no character of ASCII is invisible in this way
        seen = "".join(character for character in address if unicodedata.category(character) != "Cf")
    local, at, domain = unicodedata.normalize("NFC", seen.strip().lower()).rpartition("@")
    # RFC 5321 section 4.1.2: quotes and backslashes are not part of the name, so "zoe"@ and "z\oe"@ are zoe@.
    local = _QUOTED_PAIR.sub(r"\1", local[1:-1]) if local.startswith('"') else local
    return f"{local}{at}{domain}"


def same_person(address: str) -> str:
    """Return what stands for whoever reads the mail of an address: as :func:`canonical_address`, without a ``+tag``.

    Most providers deliver ``zoe+anything@`` to ``zoe@`` (RFC 5233); one person with many tags is still one.
    """
    local, at, domain = canonical_address(address).rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"


def _client(address: str) -> str:
    written = str(address).partition(",")[0]
    match = _FORWARDED.fullmatch(written)
    try:
        ip = ip_address((match["v6"] or match["v4"] if match else written).strip().partition("%")[0])
    except ValueError:
        return address
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return str(ip) if ip.version == 4 else f"{int(ip) >> (128 - _IPV6_PREFIX):x}::/{_IPV6_PREFIX}"  # noqa: PLR2004 (IPv4)
