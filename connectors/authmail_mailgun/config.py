"""Settings of Mailgun: Logto's keys, and what Logto lacks.

Logto keeps the mails in ``deliveries``, an object by usage type; ``templates``, the list of every other connector, is taken as well.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

import attrs

from authmail import ApiSettings, Mailbox, Problem, ProviderTemplate, Secret, Settings, Template, checks, say, setting, settings

# Page *Tagging*: so many a message, ASCII.
_MOST_TAGS, _LONGEST_TAG = 10, 128
#: Page *Messages*: all parameters ``o:``, ``h:``, ``v:`` and ``t:`` of a mail together.
MOST_OPTIONS = 16 * 1024
_LARGEST_TEMPLATE = 512 * 1024
_LONGEST_NAME = 100
#: What every account begins with; it reaches the addresses that are entered in the console, and nobody else.
_SANDBOX = re.compile(r"sandbox[0-9a-f]+\.mailgun\.org")
_api_key = partial(checks.one_word, hint=say("it is a word of letters, digits and hyphens"))


def _domain(text: str) -> None:
    """Refuse what is no name of a host: it becomes part of the path."""
    checks.refuse_blanks(text)
    if Mailbox(f"postmaster@{text}").domain != text or "." not in text:
        raise ValueError(say("must be a domain such as mg.example.com"), say("an international one in its form with xn--"))


def _sender(text: str) -> None:
    checks.one_mailbox(text)
    if not Mailbox.parse(text).address.isascii():
        raise ValueError(say("must be ASCII before its @: Mailgun makes mail from others that cannot be delivered"))


def _tags(tags: tuple[str, ...]) -> None:
    if len(tags) > _MOST_TAGS or len(set(tags)) < len(tags):
        raise ValueError(say("must have at most {most} tags, each once", most=_MOST_TAGS))
    if not all(tag.strip() and tag.isascii() and tag.isprintable() and len(tag) <= _LONGEST_TAG for tag in tags):
        raise ValueError(say("has a tag that is empty, longer than {most} characters, or not printable ASCII", most=_LONGEST_TAG))


def _variables(variables: Mapping[str, Any]) -> None:
    if len(json.dumps(variables)) > MOST_OPTIONS:
        raise ValueError(say("must have at most {most} characters in all", most=MOST_OPTIONS))


@settings
class Delivery(Settings):
    """What Logto's ``deliveries`` say of one usage type: a mail to be rendered here, or a template that is kept at Mailgun."""

    subject: str | None = setting("Subject", max_length=_LARGEST_TEMPLATE, default=None)
    reply_to: str | None = setting("Reply to", default=None)
    html: str | None = setting("HTML", max_length=_LARGEST_TEMPLATE, default=None)
    text: str | None = setting("Text", max_length=_LARGEST_TEMPLATE, default=None)
    template: str | None = setting("Template at Mailgun", max_length=_LONGEST_NAME, check=checks.exact, default=None)
    variables: dict[str, Any] = setting("Variables", check=_variables, default=attrs.Factory(dict))

    def __attrs_post_init__(self) -> None:
        if self.html is None and self.template is None:
            raise ValueError(say("needs html, or the name of a template at Mailgun"))
        if self.template is not None:
            checks.one_mailbox(self.reply_to)  # it goes out as it is

    def template_for(self, usage_type: str) -> Template:
        """Return it as a template. Where both are given, Mailgun's is taken, as with Logto."""
        if self.template is not None:
            return ProviderTemplate(usage_type, alias=self.template)
        return Template(usage_type, self.subject or "", self.html or "", text=self.text, reply_to=self.reply_to)

    def doubts(self, path: str) -> Iterable[Problem]:
        """Yield what somebody most likely did not mean."""
        if self.template is not None and (self.html or self.text):
            yield Problem(path, say("has a template at Mailgun, so html and text have no effect"), say("remove one of them"))
        elif self.template is None and not (self.subject or "").strip():
            yield Problem(path, say("has no subject"), say("a mail without one is easily taken for spam"))


def _deliveries(deliveries: Mapping[str, Delivery]) -> None:
    if not all(name.isprintable() and len(name) <= _LONGEST_NAME for name in deliveries):
        raise ValueError(say("has a usage type that is not printable, or longer than {most} characters", most=_LONGEST_NAME))
    texts = [text for one in deliveries.values() for text in (one.subject, one.html, one.text) if text]
    if sum(map(len, texts)) > _LARGEST_TEMPLATE:
        raise ValueError(say("must have at most {most} characters in all", most=_LARGEST_TEMPLATE))


@settings
class MailgunConfig(ApiSettings):
    """What an operator fills in."""

    hosts: ClassVar = {"us": "api.mailgun.net", "eu": "api.eu.mailgun.net"}

    domain: str = setting(
        "Domain",
        help="Mailgun > Sending > Domains: the one that is verified, and of which mails come",
        placeholder="mg.example.com",
        check=_domain,
    )
    api_key: Secret = setting(
        "API key",
        help="Mailgun > Sending > Domain settings > Sending keys; a key of the account works as well",
        check=_api_key,
    )
    from_: str = setting(
        "From",
        key="from",
        help="Sender, with or without a name; an address of the domain",
        placeholder="Acme <no-reply@mg.example.com>",
        check=_sender,
    )
    region: Literal["us", "eu"] = setting(
        "Region",
        help="Where the domain was added; it is unknown in the other one",
        titles={"us": "United States", "eu": "European Union"},
        destination=True,
        default="us",
    )
    reply_to: str | None = setting(
        "Reply to", help="Replies go here; a template's own address wins", check=checks.one_mailbox, default=None, group="more"
    )
    tags: tuple[str, ...] = setting(
        "Tags",
        help="A list of at most 10 words by which Mailgun sorts its statistics; nothing about persons",
        check=_tags,
        default=(),
        group="more",
    )
    deliveries: dict[str, Delivery] = setting(
        "Deliveries",
        help="Logto's form of templates: usage type and html, text, subject, replyTo, or template and variables",
        check=_deliveries,
        default=attrs.Factory(dict),
        group="more",
    )
    templates: tuple[Template | ProviderTemplate, ...] = setting(
        "Templates",
        help="SignIn, Register, ForgotPassword and Generic are required; with subject and content, or with templateAlias alone",
        required_types=("SignIn", "Register", "ForgotPassword", "Generic"),
        required_unless="deliveries",
        default=(),
    )

    @property
    def messages_url(self) -> str:
        """Where mails are posted."""
        return f"{self.url}/v3/{self.domain}/messages"

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request."""
        credentials = b64encode(f"api:{self.api_key.reveal()}".encode()).decode()
        return {"Authorization": f"Basic {credentials}", "Accept": "application/json"}

    @property
    def sender(self) -> Mailbox:
        """Whom mails come from, unless a template says otherwise."""
        return Mailbox.parse(self.from_)

    def other_templates(self) -> Iterable[tuple[str, Template]]:
        """Yield those of ``deliveries``."""
        for name, delivery in self.deliveries.items():
            yield f"deliveries.{name}", delivery.template_for(name)

    def warnings(self) -> Iterable[Problem]:
        """Yield what somebody most likely did not mean."""
        if _SANDBOX.fullmatch(self.domain):
            hint = say("add a domain of your own at Mailgun")
            yield Problem("domain", "is a sandbox domain, which reaches the authorized recipients of the account alone", hint)
        if not _are_related(self.domain, self.sender.domain):
            hint = say("Mailgun accepts it, and receivers that look at DMARC may refuse it; use an address of the domain")
            yield Problem("from", say("is an address of another domain than {domain}", domain=self.domain), hint)
        if self.api_key.reveal().startswith("pubkey-"):
            yield Problem("apiKey", "is the public key, which cannot send", say("use a sending key, or a key of the account"))
        if re.search(r"/v[0-9]$", urlsplit(self.url).path):
            yield Problem("endpoint", "ends with a version, which is added once more", say("leave it out"))
        for name, delivery in self.deliveries.items():
            yield from delivery.doubts(f"deliveries.{name}")
        yield from super().warnings()


def _are_related(one: str, other: str) -> bool:
    """Whether two domains are the same, or one is below the other."""
    first, second = f".{one.lower()}", f".{other.lower()}"
    return first.endswith(second) or second.endswith(first)
