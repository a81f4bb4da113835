"""FastAPI Users: its user manager's mails through a delivery.

.. code-block:: python

    class UserManager(UserManagerMixin[User, UUID], UUIDIDMixin, BaseUserManager[User, UUID]):
        authmail = "authmail.toml"  # or the same as a dict
        verify_link = "https://app.example.com/verify?token={token}"
        reset_link = "https://app.example.com/reset?token={token}"


    app = FastAPI(lifespan=UserManager.lifespan)

FastAPI Users awaits its hooks before it answers, so a mail sent there tells by its time who has an account. These hand it over. For a
reset it also hashes, which takes as long as a sign-in and is done for known addresses alone: that goes on beside the answer too.
Facts: https://fastapi-users.github.io/fastapi-users/latest/configuration/user-manager/ and the source of 15.0.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from fastapi import Request
from fastapi_users import BaseUserManager
from fastapi_users.exceptions import UserInactive
from fastapi_users.jwt import generate_jwt
from fastapi_users.models import ID, UP

from authmail.errors import ConfigError, Problem
from authmail.hosts.languages import languages_of
from authmail.hosts.outbox import Outbox, Source
from authmail.mail.message import Message, UsageType
from authmail.privacy import log_of
from authmail.words.text import say

__all__ = ["UserManagerMixin"]

_log = log_of("authmail.hosts")

_TOKEN = "{token}"  # noqa: S105 (what stands for one)


class UserManagerMixin(BaseUserManager[UP, ID]):
    """Hooks of a FastAPI Users user manager that mail; put it before ``BaseUserManager``.

    A new user gets a link that confirms the address (``Register``), and again when the address changes; ``/forgot-password`` sends a
    link (``ForgotPassword``); a password that was reset or changed is told (``Notice``, with ``event``). A hook of your own calls
    ``super()``. The hooks return at once, and raise nothing of a mail. ``on_after_forgot_password`` runs beside the answer, maybe after
    it, when the request's database session is closed.

    Attributes:
        authmail: the path of an ``authmail.toml``, or the same as a dict.
        verify_link: your page that posts the token to ``/verify``, with ``{token}`` in it; empty mails none.
        reset_link: your page that posts the token to ``/reset-password``, likewise.
    """

    authmail: ClassVar[Source] = "authmail.toml"
    verify_link: ClassVar[str] = ""
    reset_link: ClassVar[str] = ""

    _outbox: ClassVar[Outbox | None] = None
    _resets: ClassVar[set[asyncio.Task[None]]] = set()

    @classmethod
    def outbox(cls) -> Outbox:
        """Return what sends, one for this class and process. It opens by itself at the first mail.

        Raises:
            ConfigError: every problem of the config, and a link without its token.
        """
        if cls._outbox is None:
            links = {"verify_link": cls.verify_link, "reset_link": cls.reset_link}
            if problems := [_no_token(name) for name, link in links.items() if link and _TOKEN not in link]:
                raise ConfigError(problems)
            cls._outbox = Outbox(cls.authmail)
        return cls._outbox

    @classmethod
    @asynccontextmanager
    async def lifespan(cls, _: object) -> AsyncIterator[None]:
        """Open with the application, so that a wrong config keeps it from starting; at the end wait for what is on its way, and close."""
        outbox = cls.outbox()
        await asyncio.to_thread(outbox.open)
        try:
            yield
        finally:
            loop = asyncio.get_running_loop()
            await asyncio.gather(*(one for one in cls._resets if one.get_loop() is loop), return_exceptions=True)
            cls._outbox = None
            await asyncio.to_thread(outbox.close)

    def mail(self, user: UP, type: str, payload: Mapping[str, Any], request: Request | None = None) -> None:  # noqa: A002 (the contract's word)
        """Hand a mail to a user over, such as a code of your own; waits for nothing, and raises nothing of it.

        Args:
            user: to whom.
            type: a usage type.
            payload: the values for the template; the languages are put in.
            request: the request that asked for it, for the reader's language and the client's address.
        """
        client = None if request is None or request.client is None else request.client.host
        values = {"uiLocales": self.languages_of(user, request), **payload}
        self.outbox().put(Message(user.email, type, values, ip=client))

    def languages_of(self, user: UP, request: Request | None) -> str:  # noqa: ARG002 (for those that override it)
        """Return the reader's languages, best first, a blank between. Override it where a user has a language of their own."""
        return languages_of(None if request is None else request.headers.get("accept-language"))

    async def on_after_register(self, user: UP, request: Request | None = None) -> None:
        """Ask a new user to confirm the address."""
        await super().on_after_register(user, request)
        await self._ask_to_verify(user, request)

    async def on_after_update(self, user: UP, update_dict: dict[str, Any], request: Request | None = None) -> None:
        """Ask to confirm an address that changed, and tell of a password that did."""
        await super().on_after_update(user, update_dict, request)
        if "email" in update_dict:
            await self._ask_to_verify(user, request)
        if update_dict.get("password") is not None:
            self.mail(user, UsageType.NOTICE, {"event": "password_changed"}, request)

    async def on_after_request_verify(self, user: UP, token: str, request: Request | None = None) -> None:
        """Mail the link that confirms an address."""
        await super().on_after_request_verify(user, token, request)
        self._mail_link(user, UsageType.REGISTER, "verify_link", token, request)

    async def forgot_password(self, user: UP, request: Request | None = None) -> None:
        """Begin a reset, and wait for nothing.

        Raises:
            UserInactive: as FastAPI Users does.
        """
        if not user.is_active:
            raise UserInactive
        reset = asyncio.create_task(self._forgot_password(user, request))
        self._resets.add(reset)
        reset.add_done_callback(_ended)
        reset.add_done_callback(self._resets.discard)

    async def _forgot_password(self, user: UP, request: Request | None) -> None:
        """Do what FastAPI Users does, the hash in a thread: the token is read by its own ``reset_password``."""
        data = {
            "sub": str(user.id),
            "password_fgpt": await asyncio.to_thread(self.password_helper.hash, user.hashed_password),
            "aud": self.reset_password_token_audience,
        }
        token = generate_jwt(data, self.reset_password_token_secret, self.reset_password_token_lifetime_seconds)
        await self.on_after_forgot_password(user, token, request)

    async def on_after_forgot_password(self, user: UP, token: str, request: Request | None = None) -> None:
        """Mail the link that resets a password."""
        await super().on_after_forgot_password(user, token, request)
        self._mail_link(user, UsageType.FORGOT_PASSWORD, "reset_link", token, request)

    async def on_after_reset_password(self, user: UP, request: Request | None = None) -> None:
        """Tell that a password was reset."""
        await super().on_after_reset_password(user, request)
        self.mail(user, UsageType.NOTICE, {"event": "password_reset"}, request)

    async def _ask_to_verify(self, user: UP, request: Request | None) -> None:
        if self.verify_link and user.is_active and not user.is_verified:
            await self.request_verify(user, request)

    def _mail_link(self, user: UP, type: str, name: str, token: str, request: Request | None) -> None:  # noqa: A002 (as above)
        link: str = getattr(self, name)
        if link:
            self.mail(user, type, {"link": link.replace(_TOKEN, token)}, request)
        else:
            _log.error("%s.%s is empty, so no mail goes out", self.__class__.__name__, name)


def _ended(reset: "asyncio.Task[None]") -> None:
    """Tell of a hook that failed, since nobody waits for it."""
    if not reset.cancelled() and (error := reset.exception()) is not None:
        _log.error("a reset of a password was not begun: %s", type(error).__name__)


def _no_token(name: str) -> Problem:
    example = f"https://app.example.com/page?token={_TOKEN}"
    return Problem(name, say("must be a link with {placeholder} in it, such as {example}", placeholder=_TOKEN, example=example))
