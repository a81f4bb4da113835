"""A mail that a host hands in: it arrives whole, and stays as it was."""

import copy
from collections.abc import AsyncIterator, Callable, Iterable
from types import MappingProxyType
from typing import Any

import attrs

from authmail.mail.email import Email
from authmail.mail.message import Message
from authmail.outcomes import Receipt
from authmail.testing.case import Case, message
from authmail.testing.rules.requests import is_refused, mail_with
from authmail.testing.rules.rule import Rule

# Some providers take a subject of 256 characters, and no longer one.
_SUBJECTS = (90, 240, 600)
_BODIES = (1_000, 20_000)
# Of twenty thousand Chinese ones.
_FIRST = ord("一")


def _text(unit: str, length: int) -> str:
    """Return a text of that length, each unit with a character of its own, so that none can be missing or twice."""
    count = length // len(unit.format(_FIRST)) + 1
    return "".join(unit.format(_FIRST + number) for number in range(count))[:length].rstrip() + "."


async def _whole(case: Case, what: str, unit: str, lengths: Iterable[int], mail: Callable[[str], Email]) -> AsyncIterator[str]:
    """Yield the first length of which not all arrives; whether the characters do, in short, is asked by the rules ``request.…``."""
    for text in (unit.format(_FIRST).strip(), *(_text(unit, length) for length in lengths)):
        async with case.provider() as provider:
            sent = await case.send(provider, mail(text))
        if isinstance(sent.outcome, Receipt) and not any(request.shows(text) for request in sent.requests):
            if len(text) > len(unit):
                yield f"{what} of {len(text)} characters did not arrive as it was"
            return
        if not isinstance(sent.outcome, Receipt) and not is_refused(sent):
            yield f"{what} of {len(text)} characters: {sent.words}"


async def whole_subject(case: Case) -> AsyncIterator[str]:
    """Send subjects of several lengths."""
    async for finding in _whole(case, "a subject", "{:c} é 🎉, ", _SUBJECTS, lambda text: mail_with(subject=text)):
        yield finding


async def whole_body(case: Case) -> AsyncIterator[str]:
    """Send parts of several lengths, alone and beside the other."""
    html, text = "<p>{:c} é 🎉 a+b&amp;c</p>\n", "{:c} é 🎉 a+b&c\n"
    for what, unit, mail in (
        ("HTML", html, lambda long: mail_with(text=None, html=long)),
        ("text", text, lambda long: mail_with(text=long)),
        ("text beside HTML", text, lambda long: mail_with(text=long, html="<p>Body</p>")),
    ):
        async for finding in _whole(case, what, unit, _BODIES, mail):
            yield finding


async def unchanged(case: Case) -> AsyncIterator[str]:
    """Compare mails with what they were."""
    for mail in (
        mail_with(html="<p>Body</p>"),
        mail_with(from_name="Canary", reply_to="canary-reply@example.com", headers={"X-Canary": "1"}),
        message(user={"name": "Zoe", "teams": ["red"]}),
    ):
        before = _values(mail)
        async with case.provider() as provider:
            await case.send(provider, mail)
        changed = [name for name, value in _values(mail).items() if value != before[name]]
        if changed:
            yield f"after the send {', '.join(changed)} of the {type(mail).__name__} is another"


def _values(mail: Email | Message) -> dict[str, Any]:
    """Return a copy of what a mail is made of, however deep."""
    return {field.name: _copied(getattr(mail, field.name)) for field in attrs.fields(type(mail))}


def _copied(value: Any) -> Any:
    # A read-only view cannot be copied, and shows what becomes of what is behind it.
    return copy.deepcopy(dict(value) if isinstance(value, MappingProxyType) else value)


RULES = (
    Rule(
        "mail.whole-subject",
        "A long subject arrives whole, or nothing is sent.",
        "Send it as it is; where the provider takes no more, raise MessageRejected before the request.",
        whole_subject,
    ),
    Rule(
        "mail.whole-body",
        "Long HTML and text arrive whole, or nothing is sent.",
        "Send them as they are; where the provider takes no more, raise MessageRejected before the request.",
        whole_body,
    ),
    Rule(
        "mail.unchanged",
        "A mail is the same after it was sent: the host may hand it to another provider.",
        "Change a copy: attrs.evolve(email, …), {**email.headers}, copy.deepcopy(message.payload).",
        unchanged,
    ),
)
