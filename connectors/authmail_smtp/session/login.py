"""Logging in: which kinds of login are tried, in which order, and how often.

Over TLS the plainest kind comes first, since every server gets it right; without TLS (where the host's egress allows it)
the one that keeps the password here. A kind that the server does not know after all is passed over: nothing was judged.
What was judged and refused may count against the account, and many lock after a few: so after one refusal at most one
other kind is tried, and that no more than once in ten minutes for all connections of a Mailer; a server that has already
taken a kind of login is asked for that one alone.
"""

import re
import time
from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from authmail import AccountError, NotSent, Phase, Reason, hide_fields, say
from authmail_smtp.replies import Reply
from authmail_smtp.session.mechanisms import WITH_PASSWORD, WITH_TOKEN, Identity, Prompt
from authmail_smtp.session.wire import Wire
from authmail_smtp.steps import Step

if TYPE_CHECKING:
    from authmail_smtp.session.opening import Opening

_ACCEPTED = 235
_GO_ON = 334
_NO_SUCH_ARGUMENT = 501
_REFUSED = 535
#: Who logs in was judged: wrong, or wanted in another way (RFC 4954 section 6).
_JUDGED = (534, _REFUSED)
_REFUSALS = 500
# RFC 5321 section 4.5.3.1.4. RFC 4954 section 4 keeps AUTH within it: what is longer goes after a prompt.
_LONGEST_COMMAND = 512
_MOST_PROMPTS = 4
_ANOTHER_AFTER = 600.0
_WITHOUT_TLS = ("cram-md5", "plain", "login")
# RFC 4954 section 6, Exchange's 5.7.4 and what Postfix and others say with 535.
_UNKNOWN_KIND = re.compile(r"501|504|538")
_UNKNOWN_KIND_ENHANCED = re.compile(r"5\.5\.4|5\.7\.4|5\.7\.11")
_UNKNOWN_KIND_WORDS = re.compile(
    r"\b(?:invalid|no|unknown|unsupported|unrecogni[sz]ed) (?:\w+ )?(?:mechanism|type)\b"
    r"|\bmechanism (?:is )?(?:not (?:supported|available|allowed)|unsupported|unknown|invalid|too weak)",
    re.IGNORECASE,
)
_TELLING = 8
_RUN = re.compile(rf"[A-Za-z0-9+/=._~-]{{{_TELLING},}}")


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class LoginHistory:
    """What a server did with the logins of one Mailer."""

    #: The kind of login that it took last.
    taken: str = ""
    _another_at: float = float("-inf")

    def ordered(self, kinds: Sequence[str]) -> list[str]:
        """Return the kinds, what was taken first."""
        return sorted(kinds, key=lambda kind: kind != self.taken)

    def may_try_another(self, refused: str) -> bool:
        """Whether another kind may be tried after a refusal; if so, that is counted."""
        now = time.monotonic()
        if refused == self.taken or now - self._another_at < _ANOTHER_AFTER:
            return False
        self._another_at = now
        return True


async def log_in(wire: Wire, opening: "Opening") -> str:
    """Log in and return how.

    Raises:
        AccountError: reason credentials: refused, or the server offers no login that fits.
        NotSent: the server or the token's cannot tell for the moment.
    """
    kinds = _kinds(wire, opening)
    unknown: Reply | None = None
    refused: Reply | None = None
    for kind in kinds:
        try:
            reply = await _tried(wire, opening, kind)
        except NotSent:
            if refused is None:
                raise
            break  # a server that ends the dialogue after a refusal has told enough
        if reply.code == _ACCEPTED:
            opening.history.taken = kind
            return f"{opening.config.auth.user} ({kind.upper()})"
        if _is_unknown_kind(reply) and wire.usable:
            unknown = reply
            continue
        first, refused = refused is None, refused or reply
        if not (first and reply.code in _JUDGED and wire.usable and opening.history.may_try_another(kind)):
            break
    last = refused or unknown
    if last is None:
        raise _no_way(opening)
    raise opening.refused(Step.LOGIN, last)


def _kinds(wire: Wire, opening: "Opening") -> list[str]:
    """Return the kinds of login to try, in order."""
    config = opening.config
    if config.auth_method:
        # Also where the server does not offer it: whoever names one knows the server.
        return [config.auth_method.lower()]
    order: Sequence[str] = tuple(WITH_PASSWORD) if wire.encrypted else _WITHOUT_TLS
    if config.auth.is_oauth:
        order = tuple(WITH_TOKEN)
    return opening.history.ordered([kind for kind in order if kind in opening.mechanisms])


def _is_unknown_kind(reply: Reply) -> bool:
    """Whether a server refuses a kind of login, and not whoever logs in."""
    return (
        _UNKNOWN_KIND.fullmatch(str(reply.code)) is not None
        or _UNKNOWN_KIND_ENHANCED.fullmatch(reply.enhanced or "") is not None
        or (reply.code >= _REFUSALS and _UNKNOWN_KIND_WORDS.search(reply.text) is not None)
    )


async def _tried(wire: Wire, opening: "Opening", kind: str) -> Reply:
    """Return the last reply to a login of one kind."""
    login, tokens = opening.config.auth, opening.tokens
    if not login.is_oauth:
        if login.password is None:
            raise AccountError(say("auth.pass is missing"), reason=Reason.CREDENTIALS, phase=Phase.BEFORE)
        return await _Exchange(wire, opening, kind, login.password.reveal()).hold()
    if tokens is None:
        raise AccountError(say("auth has no token"), reason=Reason.CREDENTIALS, phase=Phase.BEFORE)
    token = await tokens.get(opening.http, opening.limit(None))
    reply = await _Exchange(wire, opening, kind, token).hold()
    if reply.code == _REFUSED and wire.usable and tokens.outdated(token):
        # Revoked before its time; a new one may be taken.
        token = await tokens.get(opening.http, opening.limit(None))
        reply = await _Exchange(wire, opening, kind, token).hold()
    return reply


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class _Exchange:
    """One login: a command, and an answer to each prompt."""

    _wire: Wire
    _opening: "Opening"
    _kind: str
    _secret: str
    _said: list[bytes] = attrs.field(factory=list, init=False)

    async def hold(self) -> Reply:
        """Return the reply that ends it, without anything of what was said."""
        config = self._opening.config
        who = Identity(config.auth.user or "", self._secret, config.host, config.port)
        make = (WITH_TOKEN | WITH_PASSWORD)[self._kind]
        command = (b"AUTH", self._kind.upper().encode())
        mechanism = make(who)
        first = mechanism.begin()
        along = () if first is None else (b64encode(first),)
        if along and len(b" ".join([*command, *along, b""])) < _LONGEST_COMMAND:
            reply = await self._ask(*command, *along)
        else:
            mechanism, reply = make(who), await self._ask(*command)
        if along and reply.code == _NO_SUCH_ARGUMENT and self._wire.usable:
            mechanism, reply = make(who), await self._ask(*command)
        for _ in range(_MOST_PROMPTS):
            if reply.code != _GO_ON:
                break
            answer = mechanism.answer(Prompt.of(reply.text))
            if answer is None:
                reply = await self._ask(b"*")
                break
            reply = await self._ask(b64encode(answer))
        told = f"{reply.text} ({mechanism.notice})" if mechanism.notice else reply.text
        return _without(Reply(reply.code, told), [*self._said, self._secret.encode()])

    async def _ask(self, *words: bytes) -> Reply:
        self._said.append(words[-1])
        return await self._wire.ask(Step.LOGIN, *words, limit=self._opening.limit(self._opening.config.socket_timeout))


def _without(reply: Reply, said: list[bytes]) -> Reply:
    """Return a reply in which nothing is repeated of what was said: some servers quote the line they did not like."""
    words = [word.decode("ascii", "replace").lower() for word in said]

    def struck(match: re.Match[str]) -> str:
        run = match[0].lower()
        pieces = {run[start : start + _TELLING] for start in range(len(run) - _TELLING + 1)}
        return "***" if any(piece in word for piece in pieces for word in words) else match[0]

    return Reply(reply.code, _RUN.sub(struck, reply.text))


def _no_way(opening: "Opening") -> AccountError:
    offered = ", ".join(opening.mechanisms).upper() or "none"
    hint = say(
        "{LOGIN} at {where}: the server takes no login with {what} here; it offers {offered}",
        LOGIN=Step.LOGIN,
        where=opening.where,
        what="OAuth 2 (XOAUTH2)" if opening.config.auth.is_oauth else "a password",
        offered=offered[:100],
    )
    return AccountError(hint, reason=Reason.CREDENTIALS, phase=Phase.BEFORE)
