"""Where a connector connects, and what strangers' texts can do."""

from collections.abc import AsyncIterator

from authmail.http.egress import Egress
from authmail.mail.email import Email
from authmail.outcomes import AccountError, Receipt
from authmail.testing.case import RECIPIENT, Case
from authmail.testing.exchange import Answer
from authmail.testing.rules.rule import Rule


async def egress(case: Case) -> AsyncIterator[str]:
    """Refuse loopback, and let the provider there look."""
    async with case.provider() as provider:
        sent = await case.send(provider, egress=Egress.PUBLIC)
        if provider.connections:
            yield f"{provider.connections} connections were made all the same: {sent.words}"
        elif not isinstance(sent.outcome, AccountError):
            yield f"the outcome must be AccountError, reason endpoint: {sent.words}"


async def redirect(case: Case) -> AsyncIterator[str]:
    """Redirect to another provider, and let it look."""
    async with case.provider() as elsewhere:
        for status in (301, 302, 303, 307, 308):
            async with case.provider(Answer(status, {"Location": f"{elsewhere.url}/"})) as provider:
                sent = await case.send(provider)
                if elsewhere.connections or len(sent.requests) > 1:
                    yield f"a {status} was followed"
                    return
                if isinstance(sent.outcome, Receipt):
                    yield f"a {status} was taken for a success"


async def headers(case: Case) -> AsyncIterator[str]:
    """Put line breaks where core lets them through."""
    inject = "key-1\r\nX-Injected: yes"
    body = "a\r\n.\r\nX-Injected: yes\r\n\r\nb"
    for mail in (Email(RECIPIENT, "s", text="t", idempotency_key=inject), Email(RECIPIENT, "s", text=body, html=body)):
        async with case.provider() as provider:
            sent = await case.send(provider, mail)
        for request in sent.requests:
            if "x-injected" in request.headers or any(text.startswith("X-Injected: yes") for text in request.texts):
                yield "a line break added the header X-Injected"


RULES = (
    Rule(
        "security.egress",
        "Where to connect is the host's decision: where the egress policy refuses, no connection is made.",
        "Send everything with `http`. Over another protocol, check and open sockets with the host's egress policy.",
        egress,
    ),
    Rule(
        "security.redirect",
        "A redirect is not followed: it would carry code and credentials to another place.",
        "Send everything with `http`, which raises AccountError.",
        redirect,
        kinds=("http",),
    ),
    Rule(
        "security.headers",
        "No text of a mail or its message adds a header to the request or the mail.",
        "Refuse line breaks in what becomes a header, or encode them.",
        headers,
    ),
)
