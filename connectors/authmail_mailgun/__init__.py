"""Mailgun, as data: the request. Settings, the table of answers, the account check and the emulator stand beside.

Two kinds of mail: those that authmail renders, and those that Mailgun writes from a template of its own, as Logto's connector has it.
Sources: Mailgun's pages *Messages*, *Templates* and *API Response Codes* (2026-11), and captures of its official SDKs.
"""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from authmail import (
    Email,
    Mailbox,
    Message,
    ProviderTemplate,
    Request,
    json_api,
    refused,
    render,
    say,
)
from authmail_mailgun.account import check_account
from authmail_mailgun.answers import ANSWERS
from authmail_mailgun.config import MOST_OPTIONS, Delivery, MailgunConfig

# The first is for all; a domain may have each of the others on, and links are then rewritten.
_NO_TRACKING = {"o:tracking": "no", "o:tracking-clicks": "no", "o:tracking-opens": "no"}
# Those that are fields of their own; of X-Mailgun-… some lose the mail, such as X-Mailgun-Drop-Message.
_RESERVED_HEADERS = frozenset({"from", "to", "cc", "bcc", "subject", "reply-to", "content-type", "mime-version"})
_OPTIONS = ("h:", "o:", "v:", "t:")


def send(
    message: Message | Email,
    email: Email | None,
    template: ProviderTemplate | None,
    values: Mapping[str, Any],
    config: MailgunConfig,
) -> Request:
    """Return the request that sends a mail, or has it written at Mailgun from a template there (page *Messages*).

    Tracking is off in each. Its SDK adds a header ``X-Idempotency-Key``, which goes out with the mail and joins nothing.

    Raises:
        MessageRejected: Mailgun takes no such header, sender or size.
    """
    if email is not None:
        fields = _written_here(email, config)
    else:
        fields = {"from": str(config.sender), "to": str(message.to)} | _written_there(template, values, config)
    form = {name: value for name, value in (fields | _NO_TRACKING | {"o:tag": config.tags}).items() if value}
    if sum(len(text) for text in _texts_of_options(form)) > MOST_OPTIONS:
        raise refused(say("headers, tags and variables are larger than Mailgun takes together: {most} bytes", most=MOST_OPTIONS))
    return Request(url=config.messages_url, form=form, headers=config.headers)


def _written_here(email: Email, config: MailgunConfig) -> dict[str, Any]:
    sender, reply_to = email.sent_from(config.sender), email.replies_to(config.reply_to)
    if not sender.address.isascii():
        raise refused(say("Mailgun cannot deliver mail from an address that is not ASCII before its @; check sendFrom"))
    for name in email.headers:
        if name.lower() in _RESERVED_HEADERS or name.lower().startswith("x-mailgun-"):
            raise refused(say("Mailgun takes no header {name} of one's own", name=name))
    return {
        "from": str(sender),
        "to": str(email.to),
        "subject": email.subject,
        "h:Reply-To": reply_to and str(reply_to),
        "html": email.html,
        "text": email.text,
        **{f"h:{name}": value for name, value in email.headers.items()},
    }


def _written_there(template: ProviderTemplate | None, values: Mapping[str, Any], config: MailgunConfig) -> dict[str, Any]:
    """Return what Mailgun writes the mail from. The message's values win over the variables of the config."""
    alias = template.alias if template else None
    delivery = config.deliveries.get(template.usage_type) if template else None
    if delivery is None or delivery.template != alias:  # the template is one of the list, which has a name alone
        delivery = Delivery(template=alias)
    reply_to = delivery.reply_to or config.reply_to
    variables = {**delivery.variables, **values}
    return {
        "subject": " ".join(render(delivery.subject or "", values).split()),
        "h:Reply-To": reply_to and str(Mailbox.parse(reply_to)),
        "template": alias,
        "h:X-Mailgun-Variables": json.dumps(variables, ensure_ascii=False, separators=(",", ":")),
    }


def _texts_of_options(form: Mapping[str, Any]) -> Iterator[bytes]:
    for name, value in form.items():
        if name.startswith(_OPTIONS):
            yield from (text.encode() for text in (name, *([value] if isinstance(value, str) else value)))


connector = json_api(
    data=files("authmail_metadata") / "mailgun",
    config=MailgunConfig,
    request=send,
    answers=ANSWERS,
    account=check_account,
    emulator="authmail_mailgun.emulator:MailgunEmulator",
)
