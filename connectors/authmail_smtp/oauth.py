"""Access tokens: cached per account, fetched once for all who wait; and new refresh tokens, which the host is told of."""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from authmail import AccountError, NotSent, NotSentInTime, OutcomeUnknown, Phase, Reason, Secret, SendError, checks, say
from authmail_smtp.grants import Grant
from authmail_smtp.login import Login
from authmail_smtp.service_account import assertion

if TYPE_CHECKING:
    from authmail import Http, Reply

# A token is renewed so many seconds before it expires, and by default lasts as long as Google's and Microsoft's do.
_EARLY = 60.0
_USUAL_LIFE = 3600.0
_LONGEST_LIFE = 10**9
# A token that was fetched less than so many seconds ago and is refused is no better when fetched again.
_FRESH = 30.0
_LONGEST_TOKEN = 16 * 1024
_OK = 200
#: The setting that a new refresh token is one for.
SETTING = "auth.refreshToken"


class Tokens:
    """The access token of one account.

    Args:
        login: the settings of the login.
    """

    def __init__(self, login: Login) -> None:
        self._login = login
        self._token = login.access_token.reveal() if login.access_token else ""
        left = float("inf") if login.expires is None else login.expires / 1000 - time.time()
        self._until = time.monotonic() + left
        self._fetched_at = float("-inf")
        self._grant = Grant.of(login)
        # What the host knows of.
        self._told = login.refresh_token
        self._fetching: asyncio.Event | None = None
        self._failure: SendError | None = None

    async def get(self, http: "Http", limit: float) -> str:
        """Return a token that is valid, fetching one if need be.

        Args:
            http: posts the request.
            limit: seconds.

        Raises:
            AccountError: reason credentials: the refresh token is refused, or there is none and the token is expired.
            NotSent: the token's server could not be asked.
        """
        token = await self._valid(http, limit)
        if self._grant is not None and self._told is not None and self._told != self._grant.newest:
            http.token_refreshed(SETTING, self._grant.newest, self._told)
            self._told = self._grant.newest
        return token

    @property
    def is_renewed(self) -> bool:
        """Whether the refresh token is another one by now than the config's."""
        return self._grant is not None and self._grant.newest != self._login.refresh_token

    async def _valid(self, http: "Http", limit: float) -> str:
        while not self._is_valid():
            if not self._login.can_refresh:
                hint = say(
                    "the access token is expired or missing; give a refreshToken with clientId and clientSecret, or a new token"
                )
                raise AccountError(hint, reason=Reason.CREDENTIALS, phase=Phase.BEFORE)
            if self._fetching is None:
                return await self._fetch_for_all(http, limit)
            # If whoever fetches is cancelled, the next one does it.
            try:
                async with asyncio.timeout(limit):
                    await self._fetching.wait()
            except TimeoutError:
                raise NotSentInTime(say("fetching an access token: no answer in time")) from None
            if self._failure is not None:
                raise self._failure.afresh()
        return self._token

    def outdated(self, token: str) -> bool:
        """Say that a server refused a token; whether another one can be had."""
        if token != self._token:
            return bool(self._token)
        if not self._login.can_refresh or time.monotonic() - self._fetched_at < _FRESH:
            return False
        self._token = ""
        return True

    def _is_valid(self) -> bool:
        return bool(self._token) and time.monotonic() < self._until - _EARLY

    async def _fetch_for_all(self, http: "Http", limit: float) -> str:
        self._fetching, self._failure = asyncio.Event(), None
        try:
            self._token, life = await self._fetch(http, limit)
            self._fetched_at = time.monotonic()
            self._until = self._fetched_at + max(life, 2 * _EARLY)
            return self._token
        except SendError as error:
            self._failure = error
            raise
        finally:
            self._fetching.set()
            self._fetching = None

    async def _fetch(self, http: "Http", limit: float) -> tuple[str, float]:
        """Return token and seconds that it lasts."""
        refresh = None if self._grant is None else self._grant.newest
        try:
            return await self._asked(http, limit, refresh)
        except AccountError:
            if self._grant is None or self._grant.newest == refresh:
                raise
        # Another Mailer of this account was quicker, and this token ended with it.
        return await self._asked(http, limit, self._grant.newest)

    async def _asked(self, http: "Http", limit: float, refresh: Secret | None) -> tuple[str, float]:
        login = self._login
        try:
            form = await asyncio.to_thread(_request, login, refresh)
            reply = await http.post(login.token_url, form=form, limit=limit)
        except OutcomeUnknown as error:
            # Unknown is whether a token was made, not whether a mail was sent.
            raise NotSent(
                say("fetching an access token: {hint}", hint=error.hint), reason=error.reason, phase=Phase.BEFORE
            ) from None
        answer = _object_in(reply)
        token, next_refresh = answer.get("access_token"), answer.get("refresh_token")
        if reply.status != _OK or not _is_token(token):
            raise _failure(reply.status, answer.get("error"))
        if self._grant is not None and _is_token(next_refresh) and Secret(next_refresh) != refresh:
            self._grant.renew(login, Secret(next_refresh))
        return token, _life(answer.get("expires_in", _USUAL_LIFE))


def _request(login: Login, refresh: Secret | None) -> dict[str, str]:
    """Return the form that asks for a token (RFC 6749 section 6, RFC 7523 section 2.1)."""
    if refresh is None:
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion(login)}
    form = {"grant_type": "refresh_token", "refresh_token": refresh.reveal()}
    form |= {"client_id": login.client_id} if login.client_id else {}
    return form | ({"client_secret": login.client_secret.reveal()} if login.client_secret else {})


def _object_in(reply: "Reply") -> Mapping[str, Any]:
    """Return the JSON object that a reply holds; an empty one if it holds none."""
    try:
        answer = reply.json()
    except SendError:
        return {}
    return answer if isinstance(answer, Mapping) else {}


def _is_token(token: Any) -> TypeGuard[str]:
    return isinstance(token, str) and 0 < len(token) <= _LONGEST_TOKEN and token.isascii() and token.isprintable()


def _life(seconds: Any) -> float:
    number = checks.read_number(seconds) if isinstance(seconds, str) else seconds
    known = isinstance(number, int | float) and not isinstance(number, bool) and 0 <= number <= _LONGEST_LIFE
    return float(number) if known and number is not None else _USUAL_LIFE


def _failure(status: int, error: Any) -> SendError:
    """Return the error of an answer without a token."""
    code = error if isinstance(error, str) else None
    details: dict[str, Any] = {"code": code, "status": status, "phase": Phase.BEFORE}
    if status in (400, 401, 403) and code is not None:
        hint = say("the refresh token, client ID or client secret is refused; grant access again")
        return AccountError(say("fetching an access token: {hint}", hint=hint), reason=Reason.CREDENTIALS, **details)
    if status in (404, 405):
        hint = say("fetching an access token: nothing answers there; check auth.accessUrl")
        return AccountError(hint, reason=Reason.ENDPOINT, **details)
    return NotSent(say("fetching an access token: the server gave none"), reason=Reason.PROVIDER, **details)
