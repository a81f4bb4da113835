"""Logging in: with a password, or with an access token."""

import re
from typing import TYPE_CHECKING

from aiosmtplib import SMTPAuthenticationError
from aiosmtplib.auth import auth_crammd5_verify, auth_login_encode, auth_plain_encode, auth_xoauth2_encode

from authmail import AccountError, Phase, Reason, say
from authmail_smtp.replies import Reply
from authmail_smtp.session.wire import Wire
from authmail_smtp.steps import Step

if TYPE_CHECKING:
    from authmail_smtp.session.opening import Opening

_ACCEPTED = 235
_GO_ON = 334
_NO_CHALLENGE = 501
_REFUSED = 535
_TELLING = 8
_RUN = re.compile(rf"[A-Za-z0-9+/=._~-]{{{_TELLING},}}")
# The password goes over TLS, so the plainest way is as good as any, and every server gets it right.
_PREFERRED = ("plain", "login", "cram-md5")


async def log_in(wire: Wire, opening: "Opening") -> str:
    """Log in and return how.

    Raises:
        AccountError: reason credentials: refused, or the server offers no login that fits.
        NotSent: the server or the token's cannot tell for the moment.
    """
    if opening.config.auth.is_oauth:
        return await _with_token(wire, opening)
    login = opening.config.auth
    mechanism = next((name for name in _PREFERRED if name in opening.mechanisms), None)
    if mechanism is None:
        raise _no_way(opening, "a password")
    if login.password is None:
        raise AccountError(say("auth.pass is missing"), reason=Reason.CREDENTIALS, phase=Phase.BEFORE)
    said: list[bytes] = []
    reply = await _with_password(wire, opening, mechanism, login.user or "", login.password.reveal(), said)
    if reply.code != _ACCEPTED:
        raise opening.refused(Step.LOGIN, _without(reply, said))
    return f"{login.user} ({mechanism.upper()})"


async def _with_password(wire: Wire, opening: "Opening", mechanism: str, user: str, password: str, said: list[bytes]) -> Reply:
    async def ask(*words: bytes) -> Reply:
        said.append(words[-1])
        return await wire.ask(Step.LOGIN, *words, limit=opening.limit(opening.config.socket_timeout))

    if mechanism == "plain":
        return await ask(b"AUTH", b"PLAIN", auth_plain_encode(user, password))
    if mechanism == "login":
        name, secret = auth_login_encode(user, password)
        reply = await ask(b"AUTH", b"LOGIN", name)
        return await ask(secret) if reply.code == _GO_ON else reply
    reply = await ask(b"AUTH", b"CRAM-MD5")
    if reply.code != _GO_ON:
        return reply
    try:
        answer = auth_crammd5_verify(user, password, reply.text)
    except SMTPAuthenticationError:
        return Reply(_NO_CHALLENGE, "the challenge is not Base64")
    return await ask(answer)


async def _with_token(wire: Wire, opening: "Opening") -> str:
    if "xoauth2" not in opening.mechanisms:
        raise _no_way(opening, "OAuth 2 (XOAUTH2)")
    tokens, user = opening.tokens, opening.config.auth.user or ""
    if tokens is None:
        raise AccountError(say("auth has no token"), reason=Reason.CREDENTIALS, phase=Phase.BEFORE)
    token = await tokens.get(opening.http, opening.limit(None))
    reply = await _xoauth2(wire, opening, user, token)
    if reply.code == _REFUSED and tokens.outdated(token):
        # Revoked before its time; a new one may be taken.
        token = await tokens.get(opening.http, opening.limit(None))
        reply = await _xoauth2(wire, opening, user, token)
    if reply.code != _ACCEPTED:
        raise opening.refused(Step.LOGIN, _without(reply, [auth_xoauth2_encode(user, token), token.encode()]))
    return f"{user} (XOAUTH2)"


async def _xoauth2(wire: Wire, opening: "Opening", user: str, token: str) -> Reply:
    limit = opening.config.socket_timeout
    words = auth_xoauth2_encode(user, token)
    reply = await wire.ask(Step.LOGIN, b"AUTH", b"XOAUTH2", words, limit=opening.limit(limit))
    if reply.code == _GO_ON:
        # The reason, in Base64; the refusal itself comes after an empty line.
        reply = await wire.ask(Step.LOGIN, b"", limit=opening.limit(limit))
    return reply


def _without(reply: Reply, said: list[bytes]) -> Reply:
    """Return a reply in which nothing is repeated of what was said: some servers quote the line they did not like."""
    words = [word.decode("ascii", "replace").lower() for word in said]

    def struck(match: re.Match[str]) -> str:
        run = match[0].lower()
        pieces = {run[start : start + _TELLING] for start in range(len(run) - _TELLING + 1)}
        return "***" if any(piece in word for piece in pieces for word in words) else match[0]

    return Reply(reply.code, _RUN.sub(struck, reply.text))


def _no_way(opening: "Opening", what: str) -> AccountError:
    offered = ", ".join(opening.mechanisms).upper() or "none"
    hint = say(
        "{LOGIN} at {where}: the server takes no login with {what} here; it offers {offered}",
        LOGIN=Step.LOGIN,
        where=opening.where,
        what=what,
        offered=offered[:100],
    )
    return AccountError(hint, reason=Reason.CREDENTIALS, phase=Phase.BEFORE)
