"""Messages rendered from templates: the mail that reaches the provider is the one that the template makes."""

from collections.abc import AsyncIterator

from authmail.outcomes import Receipt
from authmail.testing.case import CODE, LINK, Case, message
from authmail.testing.rules.rule import Rule


async def values(case: Case) -> AsyncIterator[str]:
    """Look for them in the request."""
    async with case.provider() as provider:
        both, code = await case.send(provider), await case.send(provider, message(link=None))
    renders = "email" in case.connector.send_arguments  # else the provider does
    for sent, wanted in (
        (both, (f"{CODE} is your code" if renders else CODE, LINK)),
        (code, (f"{CODE} signs you in" if renders else CODE,)),
    ):
        for text in wanted:
            if isinstance(sent.outcome, Receipt) and not any(request.shows(text) for request in sent.requests):
                yield f"the request does not show {text!r}"


async def escaped(case: Case) -> AsyncIterator[str]:
    """Send a name that is markup."""
    name = "<img src=x>&"
    async with case.provider() as provider:
        sent = await case.send(provider, message(user={"name": name}))
    if any("<p>Hello <img" in text for request in sent.requests for text in request.texts):
        yield f"the name {name} arrived as markup"


RULES = (
    Rule(
        "template.values",
        "Code and link of a message reach the provider, rendered from the template of its type.",
        "Send email.subject, email.html and email.text as they are; core has rendered them.",
        values,
    ),
    Rule(
        "template.escaped",
        "Values in HTML are escaped: a name that a stranger typed can add no markup.",
        "Send email.html as it is, and fill nothing in by yourself.",
        escaped,
    ),
)
