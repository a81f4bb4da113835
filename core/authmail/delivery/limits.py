"""Limits: how many messages a recipient, a client and the whole account may have in a while."""

import asyncio
import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Any

from authmail.delivery.sender import MessageSender, Step, Wrapper, attempt, now
from authmail.delivery.stores import Limit, MemoryStore, Store, StoreError, asked
from authmail.http.deadline import DEFAULT_TIMEOUT
from authmail.mail.email import Mail
from authmail.outcomes import Limited, NotSent, OutcomeUnknown, Phase, Reason, Receipt, SendError
from authmail.privacy import log_of
from authmail.words.text import say

_log = log_of("authmail.delivery")

#: What Logto's server allows one recipient (its consts of 2026-08): ten mails in ten minutes.
RECIPIENT_LIMIT = Limit(10, 600)
#: One client: an office behind one address signs in too.
CLIENT_LIMIT = Limit(60, 600)

# One household or attacker has a whole /64 of IPv6.
_IPV6_PREFIX = 64
_QUOTED_PAIR = re.compile(r"\\(.)")
# As proxies write an address: with a port, in brackets, or the first of a list.
_FORWARDED = re.compile(r"\s*\"?(?:\[(?P<v6>[^\]]*)\](?::\d+)?|(?P<v4>[\d.]+)(?::\d+)?)\"?\s*")


class Limits(Wrapper):
    """Refuses messages beyond a limit before anything is sent: :class:`~authmail.Limited`, with the seconds to wait.

    Counted is what was accepted or may have been. A message that was not sent is taken back.

    Args:
        sender: who sends.
        store: where counts are kept; in memory by default.
        recipient: for each recipient, whatever the case, tag or spelling of the address; None for no limit.
        ip: for each client that asks (``Message.ip``), where the host gives it; an IPv6 client is its /64. None for no limit.
        account: for everything sent through here.
        scope: keeps the counts of several of these apart in one store, such as a tenant's id.
        strict: refuse to send while the store cannot be used; by default messages then go out uncounted, with a
            warning in the log, since people could not sign in otherwise.
    """

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
        self._store = MemoryStore() if store is None else store
        self._recipient = recipient
        self._ip = ip
        self._account = account
        self._scope = scope
        self._strict = strict

    @property
    def inside(self) -> tuple[Any, ...]:
        """The sender and the store."""
        return (self._sender, self._store)

    def steps(self, message: Mail) -> Iterable[Step]:
        """Name the limits that count this message."""
        counted = {"recipient": self._recipient, "account": self._account}
        if message.ip:
            counted["client"] = self._ip
        for name, limit in counted.items():
            if limit is not None:
                yield Step(
                    f"limit per {name}", f"{limit.most} in {limit.seconds:g} s", "counted is what was or may have been sent"
                )

    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send a message if the limits leave room.

        Raises:
            Limited: they do not; nothing was sent.
            SendError: the sender's.
        """
        deadline = now() + (DEFAULT_TIMEOUT if timeout is None else timeout)
        token = secrets.token_hex(8)
        claims = list(self._claims(message))
        try:
            wait = await asked(self._store.reserve(token, claims))
        except StoreError as error:
            if self._strict:
                raise NotSent(str(error), reason=Reason.CONFIG, phase=Phase.BEFORE) from None
            _log.warning("sent uncounted: %s", error)
            claims, wait = [], 0.0
        except asyncio.CancelledError:  # the store may have counted it by then, and nothing went out
            await self._take_back(token, [key for key, _ in claims])
            raise
        if wait > 0:
            hint = say("too many messages for this recipient, client or account; this is the host's own limit")
            raise Limited(hint, retry_after=wait)
        try:
            return await attempt(self._sender, message, deadline - now())
        except OutcomeUnknown:
            raise
        except SendError:
            await self._take_back(token, [key for key, _ in claims])
            raise

    async def _take_back(self, token: str, keys: list[str]) -> None:
        try:
            if keys:
                await asked(self._store.release(token, keys))
        except StoreError as error:
            _log.warning("a message that was not sent stays counted: %s", error)

    def _claims(self, message: Mail) -> Iterator[tuple[str, Limit]]:
        if self._recipient is not None:
            yield self._key("recipient", self._recipient, same_person(message.address)), self._recipient
        if self._ip is not None and message.ip:
            yield self._key("ip", self._ip, _client(message.ip)), self._ip
        if self._account is not None:
            yield self._key("account", self._account, ""), self._account

    def _key(self, what: str, limit: Limit, whose: str) -> str:
        # Limits of several lengths around each other count apart.
        return self._store.digest(what, self._scope, str(limit.seconds), whose)


def canonical_address(address: str) -> str:
    """Return an address for comparison: without quotes, in lower case.

    Args:
        address: as of ``Message.address``.
    """
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
