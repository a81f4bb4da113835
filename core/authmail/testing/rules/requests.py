"""What a mail may have, each on its own: it arrives at the provider, or the send is refused, or leaving it out is declared."""

from collections.abc import AsyncIterator

import attrs

from authmail.mail.email import Email
from authmail.outcomes import MessageRejected, Receipt
from authmail.testing.case import RECIPIENT, Case, Sent
from authmail.testing.rules.rule import Check, Rule

_LONG_LINE = "long " * 199 + "end"


@attrs.frozen
class Feature:
    """Something that a mail may have.

    Args:
        name: as a key of ``leaves_out``.
        says: what it is.
        email: a mail that has it.
        shown: what must be readable in the request; every one of them.
    """

    name: str
    says: str
    email: Email
    shown: tuple[str, ...]


def mail_with(**parts: object) -> Email:
    """Return a mail that has this, and little else."""
    return Email(**{"to": RECIPIENT, "subject": "Canary", "text": "Body", **parts})  # type: ignore[arg-type]  # attributes of Email


FEATURES = (
    Feature("recipient", "The recipient", mail_with(to="zoe+tag.o'brien@example.com"), ("zoe+tag.o'brien@example.com",)),
    Feature("international-domain", "A recipient in an international domain", mail_with(to="zoe@bücher.example"), ("zoe@xn--bcher-kva.example",)),
    Feature("international-recipient", "A recipient whose name is not ASCII", mail_with(to="用户@example.com"), ("用户@example.com",)),
    Feature("subject", "The subject, whatever its characters", mail_with(subject="* ~ +%20 你好 🎉 “é”"), ("* ~ +%20 你好 🎉 “é”",)),
    Feature("html", "The HTML part", mail_with(text=None, html="<p>a+b&amp;c=d 你好🎉 ~*%20</p>"), ("<p>a+b&amp;c=d 你好🎉 ~*%20</p>",)),
    Feature("text", "The text part", mail_with(text="a+b&c=d 你好🎉 ~*%20 <x>"), ("a+b&c=d 你好🎉 ~*%20 <x>",)),
    Feature("both-parts", "HTML and a text of its own", mail_with(html="<p>canary-html</p>", text="canary-text"), ("<p>canary-html</p>", "canary-text")),
    Feature("long-line", "A line of 998 characters", mail_with(text=None, html=_LONG_LINE), (_LONG_LINE,)),
    Feature("sender-name", "The sender's name of a template", mail_with(from_name="小红, Acme"), ("小红, Acme",)),
    Feature("sender-address", "The sender's address of a template", mail_with(from_address="canary-from@example.com"), ("canary-from@example.com",)),
    Feature("reply-to", "The reply address of a template", mail_with(reply_to="canary-reply@example.com"), ("canary-reply@example.com",)),
    Feature("reply-to-name", "The name of the reply address", mail_with(reply_to="小绿 <canary-reply@example.com>"), ("小绿",)),
    Feature("header", "A header that the host sets", mail_with(headers={"X-Canary": "canary-header"}), ("X-Canary", "canary-header")),
    Feature("idempotency-key", "The idempotency key", mail_with(idempotency_key="canary-key-1"), ("canary-key-1",)),
)  # fmt: skip


def _check_of(feature: Feature) -> Check:
    async def check(case: Case) -> AsyncIterator[str]:
        async with case.provider() as provider:
            sent = await case.send(provider, feature.email)
        missing = [text for text in feature.shown if not any(request.shows(text) for request in sent.requests)]
        declared = case.leaves_out.get(feature.name)
        if isinstance(sent.outcome, Receipt) and missing and not declared:
            yield f"the mail was accepted, and the request does not show {', '.join(map(repr, missing))}"
        elif isinstance(sent.outcome, Receipt) and not missing and declared:
            yield "leaves_out says that it is left out, and it is sent"
        elif not isinstance(sent.outcome, Receipt) and not is_refused(sent):
            yield sent.words

    return check


def is_refused(sent: Sent) -> bool:
    """Whether a mail was refused before anything went out."""
    return isinstance(sent.outcome, MessageRejected) and not sent.requests


_DO = "Send it; or raise MessageRejected before the request; or, if a mail without it is as good, say why in leaves_out: {%r: …}."

RULES = tuple(
    Rule(
        f"request.{feature.name}",
        f"{feature.says} arrives at the provider, or nothing is sent.",
        _DO % feature.name,
        _check_of(feature),
    )
    for feature in FEATURES
)
