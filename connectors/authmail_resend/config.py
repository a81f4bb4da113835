"""Settings of Resend. The reference has no such connector; the names are those of Resend's API, in camelCase."""

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import ClassVar

import attrs

from authmail import ApiSettings, Mailbox, Problem, Secret, checks, say, setting, settings

#: Whose sender may be used before a domain is verified, for mail to one's own address alone.
TEST_DOMAIN = "resend.dev"

# Send-email page: ASCII letters, digits, underscores and dashes, at most 256 characters.
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_MOST_TAGS = 75
_api_key = partial(checks.one_word, hint=say("it begins with re_"))


def _tags(tags: Mapping[str, str]) -> None:
    if len(tags) > _MOST_TAGS:
        raise ValueError(say("must have at most {most} tags, has {count}", most=_MOST_TAGS, count=len(tags)))
    for name, value in tags.items():
        if not _TAG.fullmatch(name) or not _TAG.fullmatch(value):
            raise ValueError("has a name or value that Resend refuses", "1 to 256 letters, digits, _ and -")


@settings
class ResendConfig(ApiSettings):
    """What an operator fills in."""

    host = "api.resend.com"
    beginnings: ClassVar = {"api_key": "re_"}

    api_key: Secret = setting("API key", help="Resend > API keys; Sending access is enough", placeholder="re_…", check=_api_key)
    from_: str = setting(
        "From",
        key="from",
        help="Sender, with or without a name; its domain is verified at Resend",
        placeholder="Acme <no-reply@mail.example.com>",
        check=checks.one_mailbox,
    )
    reply_to: str | None = setting(
        "Reply to", help="Replies go here; a template's own address wins", check=checks.one_mailbox, default=None
    )
    tags: dict[str, str] = setting(
        "Tags", help="An object of names and values that Resend shows beside each mail", check=_tags, default=attrs.Factory(dict)
    )

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request."""
        return {"Authorization": f"Bearer {self.api_key.reveal()}"}

    @property
    def sender(self) -> Mailbox:
        """The configured sender."""
        return Mailbox.parse(self.from_)

    def warnings(self) -> Iterable[Problem]:
        """Yield what somebody most likely did not mean."""
        if self.sender.address.rpartition("@")[2] == TEST_DOMAIN:
            hint = say("verify a domain of your own and use an address of it")
            yield Problem("from", "is Resend's test sender, which reaches nobody but yourself", hint)
        yield from super().warnings()
