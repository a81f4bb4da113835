"""The base of emulators: local stand-ins of a provider's HTTP API. A subclass says what is the provider's own."""

import asyncio
import hmac
import json
from collections import deque
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, ClassVar, Protocol
from uuid import uuid4

from aiohttp import web

from authmail.connect.answers import Answers
from authmail.sandbox.faults import HTTP_FAULTS, Fault, fault_of, perform
from authmail.sandbox.inbox import Inbox

_REMEMBERED = 1000


class Emulator(Protocol):
    """A local stand-in of a provider's API, from a connector's ``get_emulator`` hook; :class:`ApiEmulator` is a base.

    It may also have ``faults``, recipient's part before the ``@`` → :class:`~authmail.sandbox.Fault`: the inbox's page
    offers them; and ``shown_headers``, the lower-case names of request headers that hold no secret: the page shows them.
    """

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that the emulator accepts, as in a config's JSON, without endpoint and templates."""

    async def handle(self, request: web.Request, inbox: Inbox) -> web.StreamResponse:
        """Answer a request as the provider does; put an accepted mail into the inbox."""


class Refusal(Exception):
    """An error answer, in the provider's words.

    Args:
        status: of HTTP.
        code: the provider's code.
        message: its words.
        retry_after: seconds after which it wants to be asked again.
    """

    def __init__(self, status: int, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


def faults_of(answers: Answers, **others: Fault) -> dict[str, Fault]:
    """Return the faults of a provider: every code of its table, by its name in lower case, and what may happen to anybody.

    Args:
        answers: the connector's, with its table.
        **others: what the provider has besides; ``_`` stands for a hyphen.
    """
    codes: dict[str, Fault] = {}
    for code, status in answers.codes():
        codes.setdefault(code.lower(), Fault(f"answers {code}", status, code))
    return codes | HTTP_FAULTS | {name.replace("_", "-"): fault for name, fault in others.items()}


class ApiEmulator:
    """A provider that takes a mail by one POST. The loop is here: credentials, path, form, repeats, fault, acceptance.

    Attributes:
        path: where mails are posted; None for every path.
        faults: recipient's part before the ``@`` → what happens.
    """

    path: ClassVar[str | None] = "/"
    faults: Mapping[str, Fault] = HTTP_FAULTS
    #: What is answered to the same idempotency key with another body.
    conflict = Refusal(409, "conflict", "The key belongs to another request.")

    def __init__(self) -> None:
        self._answered: dict[str, tuple[bytes, str]] = {}
        self._seen: deque[str] = deque(maxlen=_REMEMBERED)

    # What a provider's own class says.

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check the credentials.

        Raises:
            Refusal: they are wrong.
        """
        raise NotImplementedError

    def sends(self, request: web.Request) -> bool:
        """Whether a request is one that sends a mail."""
        return request.method == "POST" and self.path in (None, request.path)

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail of a request: fields as of :class:`~authmail.sandbox.ReceivedMail`, ``to`` a tuple of addresses.

        Raises:
            Refusal: something of it is wrong.
        """
        raise NotImplementedError

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return the provider's answer of an error."""
        raise NotImplementedError

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return the provider's answer of an acceptance; with None, one that lacks its proof."""
        raise NotImplementedError

    def tell(self, request: web.Request) -> web.Response:
        """Answer a request for something else than a mail, as account checks make.

        Raises:
            Refusal: there is nothing.
        """
        raise Refusal(404, "not_found", "There is nothing here.")

    def key(self, request: web.Request) -> str | None:
        """Return the key by which the provider joins repeats of a request; None where it does not."""
        return None

    def fresh_id(self) -> str:
        """Return an id for an accepted mail."""
        return str(uuid4())

    # The loop.

    async def handle(self, request: web.Request, inbox: Inbox) -> web.StreamResponse:
        """Answer one request."""
        body = await request.read()
        try:
            self.authenticate(request, body)
            if not self.sends(request):
                return self.tell(request)
            return await self._take(request, body, self.read(request, body), inbox)
        except Refusal as refusal:
            return self.refuse(refusal, request)

    async def _take(self, request: web.Request, body: bytes, mail: Mapping[str, Any], inbox: Inbox) -> web.StreamResponse:
        key, digest = self.key(request), sha256(body).digest()
        if key is not None and key in self._answered:
            known, message_id = self._answered[key]
            if known != digest:
                raise self.conflict
            return self.accept(message_id, request)

        def take() -> str:
            message_id = self.fresh_id()
            if key is not None:
                self._answered[key] = (digest, message_id)
                while len(self._answered) > _REMEMBERED:
                    self._answered.pop(next(iter(self._answered)))
            inbox.add(**mail)
            return message_id

        fault = fault_of(mail["to"][0], self.faults)
        if fault is not None:
            is_first = key is None or key not in self._seen
            self._seen.append(key or "")
            answer = await self.show(fault, request, take, is_first=is_first)
            if answer is not None:
                return answer
        return self.accept(take(), request)

    async def show(self, fault: Fault, request: web.Request, take: Any, *, is_first: bool) -> web.StreamResponse | None:
        """Show a fault.

        Args:
            fault: which.
            request: the request that asks for it.
            take: puts the mail into the inbox.
            is_first: whether a request of this key comes for the first time.

        Returns:
            The answer; None where the mail is accepted all the same.

        Raises:
            Refusal: the fault is an answer of the provider's own.
        """
        if fault.action == "crash-after":
            take()
        if fault.action in ("refuse", "crash-after") or (fault.action == "in-flight" and is_first):
            raise Refusal(fault.status, fault.code or "", f"{fault.help[:1].upper()}{fault.help[1:]}.", fault.retry_after)
        if fault.action == "no-id":
            return self.accept(None, request)
        if fault.action == "lose" and is_first:
            await asyncio.Event().wait()
        return await perform(fault, request, take)


def has_key(given: str, *known: str) -> bool:
    """Whether a key is one of the known ones, compared in constant time."""
    return any(hmac.compare_digest(given.encode("utf-8", "surrogateescape"), one.encode()) for one in known)


def read_object(request: web.Request, body: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a request; None if it has none, or another content type."""
    try:
        data = json.loads(body) if request.content_type == "application/json" else None
    except (ValueError, RecursionError):
        data = None
    return data if isinstance(data, dict) else None
