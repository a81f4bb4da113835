"""The online check: token, server, message stream and templates, without sending mail."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import quote

from authmail import AccountError, AccountReport, Answer, Problem, Reason, say
from authmail_postmark.answers import ANSWERS

if TYPE_CHECKING:
    from authmail import Http
    from authmail_postmark import PostmarkConfig

_LIVE = "Live"
_TRANSACTIONAL = "Transactional"
# Of more templates the first are asked about.
_MOST_TEMPLATES = 20


async def check_account(config: "PostmarkConfig", http: "Http") -> AccountReport:
    """Ask for the server (page *Servers API*), its message stream and the templates that the config names.

    Whether the sender's domain is confirmed is not asked: that needs the token of the whole account. The answer about the server
    holds its tokens, so nothing is taken from it but two names.

    Returns:
        Server and stream; warnings for a server that delivers nothing, a stream for newsletters, and templates that are missing.

    Raises:
        SendError: the token is wrong, or the stream does not exist.
    """
    server = await _ask(config, http, "/server")
    kind = server.text("DeliveryType")
    if server.status != 200 or kind is None:  # noqa: PLR2004
        raise ANSWERS.failure(server.reply)
    facts = {"Server": server.text("Name"), "Delivery": kind}
    warnings = []
    if kind != _LIVE:
        hint = say("every code is lost; use a token of a live server")
        warnings.append(Problem("serverToken", "is of a sandbox server, which accepts every mail and delivers none", hint))
    stream = config.message_stream or "outbound"
    facts["Message stream"], doubts = await _stream(config, http, stream)
    warnings += [*doubts, *[problem async for problem in _missing_templates(config, http)]]
    return AccountReport({label: value for label, value in facts.items() if value is not None}, warnings)


async def _stream(config: "PostmarkConfig", http: "Http", stream: str) -> tuple[str, list[Problem]]:
    answer = await _ask(config, http, f"/message-streams/{stream}")
    kind = answer.text("MessageStreamType")
    if answer.status in (404, 422):  # it is the stream that does not exist: the server was found
        hint = say("the message stream {name} does not exist on this server; check messageStream", name=stream)
        raise AccountError(hint, reason=Reason.CONFIG, status=answer.status)
    if answer.status != 200 or kind is None:  # noqa: PLR2004
        raise ANSWERS.failure(answer.reply)
    if answer.text("ArchivedAt") is not None:
        hint = say("the message stream {name} is archived; choose another one in messageStream", name=stream)
        raise AccountError(hint, reason=Reason.CONFIG)
    if kind == _TRANSACTIONAL:
        return stream, []
    hint = say("use outbound, or another transactional stream")
    return stream, [Problem("messageStream", say("is not transactional: {kind}", kind=kind), hint)]


async def _missing_templates(config: "PostmarkConfig", http: "Http") -> AsyncIterator[Problem]:
    for alias in config.aliases[:_MOST_TEMPLATES]:
        answer = await _ask(config, http, f"/templates/{quote(alias, safe='')}")
        if answer.status in (404, 422) or answer.value("Active") is False:
            hint = say("make it in Postmark's template editor, or correct templateAlias")
            yield Problem("templates", say("name the template {alias}, which is not on this server", alias=alias), hint)


async def _ask(config: "PostmarkConfig", http: "Http", path: str) -> Answer:
    return ANSWERS.answer(await http.get(f"{config.url}{path}", headers=config.headers))
