"""Settings of Aliyun Direct Mail: Logto's keys, and what Logto lacks."""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlsplit

from authmail import ApiSettings, Mailbox, Problem, Secret, Template, checks, say, setting, settings

#: Region id → public host (SDK's endpoint map and the api-endpoints pages, 2025-10 to 2026-10).
HOSTS = {
    "cn-hangzhou": "dm.aliyuncs.com",
    "ap-southeast-1": "dm.ap-southeast-1.aliyuncs.com",
    "ap-southeast-2": "dm.ap-southeast-2.aliyuncs.com",
    "eu-central-1": "dm.eu-central-1.aliyuncs.com",
    "us-east-1": "dm.us-east-1.aliyuncs.com",
}
_CLOSED_REGIONS = ("ap-southeast-2",)

# Pages disagree about "fewer than 15" and "at most 15": the looser refuses, the stricter warns.
_LONGEST_ALIAS = 15
_SAFE_ALIAS = 14
# 256 by the SDK of 2026, 100 by older pages.
LONGEST_SUBJECT = 256
_SAFE_SUBJECT = 100

_SOME_PAGES = "some pages of the provider allow no more"

_ADDRESS_IN_TEXT = re.compile(r"\S@\S")
_TAG_LIKE = re.compile(r"[a-z0-9]+(?:[_-][a-z0-9]+)+|[a-z]+_?[0-9]+")


@settings
class AliyunDMConfig(ApiSettings):
    """What an operator fills in. Lengths and names: SingleSendMail's page and the SDK 1.11.1."""

    access_key_id: str = setting(
        "AccessKey ID",
        help="Console > RAM > Users > AccessKey; the key needs the right dm:SingleSendMail",
        check=checks.printable,
    )
    access_key_secret: Secret = setting("AccessKey secret", help="Shown once, when the AccessKey is created")
    security_token: Secret | None = setting("STS token", help="Only with temporary credentials", default=None)
    account_name: str = setting(
        "Sender address",
        help="The sender address made in the Direct Mail console, in the same region",
        placeholder="no-reply@mail.example.com",
        check=checks.printable,
    )
    from_alias: str | None = setting(
        "Sender name",
        help="What people see as sender, at most 15 characters; not the console's email tag",
        placeholder="Example",
        max_length=_LONGEST_ALIAS,
        check=checks.printable,
        default=None,
    )
    region_id: Literal["cn-hangzhou", "ap-southeast-1", "ap-southeast-2", "eu-central-1", "us-east-1"] = setting(
        "Region",
        help="Where the sender address was made",
        titles={
            "cn-hangzhou": "China (Hangzhou)",
            "ap-southeast-1": "Singapore",
            "ap-southeast-2": "Australia (Sydney), closed",
            "eu-central-1": "Germany (Frankfurt)",
            "us-east-1": "US (Virginia)",
        },
        default="cn-hangzhou",
    )
    endpoint: str | None = setting(
        "Endpoint",
        help="Only for VPC or private endpoints, e.g. dm-vpc.cn-hangzhou.aliyuncs.com",
        destination=True,
        max_length=255,
        check=checks.endpoint,
        default=None,
    )
    reply_to_address: bool = setting(
        "Use the console's reply address", help="Replies go to the verified reply address set in the console", default=False
    )
    reply_address: str | None = setting("Reply address", help="Replies go here instead", check=checks.one_address, default=None)
    reply_address_alias: str | None = setting(
        "Reply name", help="At most 15 characters", max_length=_LONGEST_ALIAS, check=checks.printable, default=None
    )
    tag_name: str | None = setting(
        "Email tag",
        help="A tag that exists in the console, for statistics",
        pattern="[A-Za-z0-9_-]{1,128}",
        pattern_hint="1 to 128 letters, digits, _ and -",
        default=None,
    )
    click_trace: bool = setting("Track clicks", help="Rewrites links; keep it off for sign-in and reset mails", default=False)
    signature: Literal["v3", "v1"] = setting(
        "Signature",
        help="v3 unless a gateway in between only knows v1",
        titles={"v3": "V3 (HMAC-SHA256)", "v1": "V1 (HMAC-SHA1)"},
        default="v3",
    )
    repeat: bool = setting(
        "Repeat after a time-out",
        key="replayOnTimeout",
        help="After no answer, the very same signed request once more, where a second mail would do no harm",
        default=True,
    )

    @cached_property
    def url(self) -> str:
        """Where requests go."""
        url = checks.endpoint_url(self.endpoint, HOSTS[self.region_id])
        return url if urlsplit(url).path else f"{url}/"

    @cached_property
    def signing_key(self) -> Any:
        """What V3 signatures start from, an ``hmac.HMAC``."""
        from authmail_aliyun_dm.signing import key_v3  # imported late: it loads OpenSSL, which validating does not need

        return key_v3(self.access_key_secret.reveal())

    def warnings(self) -> Iterable[Problem]:
        """Yield what the provider may refuse, or what somebody most likely did not mean."""
        try:
            Mailbox(self.account_name)
        except ValueError:
            yield Problem("accountName", "does not look like one mail address", "the provider will refuse it")
        if self.region_id in _CLOSED_REGIONS and self.endpoint is None:
            yield Problem("regionId", "is a region that the provider has closed", "choose the region where the sender address is")
        yield from self._alias_warnings()
        if self.click_trace:
            yield Problem("clickTrace", "rewrites the links of sign-in and reset mails", "turn it off unless you need it")
            if self.tag_name is None:
                yield Problem("tagName", "is needed for click tracking", "make a tag in the console and name it here")
        if self.reply_address is not None and self.reply_to_address:
            yield Problem("replyAddress", "competes with replyToAddress", "turn replyToAddress off")
        if self.reply_address_alias is not None and self.reply_address is None:
            yield Problem("replyAddressAlias", "has no effect without replyAddress")
        yield from super().warnings()
        for index, template in enumerate(self.templates):
            yield from _template_warnings(template, f"templates[{index}]")

    def _alias_warnings(self) -> Iterable[Problem]:
        alias = self.from_alias
        if not alias:
            return
        if _ADDRESS_IN_TEXT.search(alias) or "<" in alias:
            yield Problem("fromAlias", "holds an address", "the address goes to accountName; fromAlias is the name people see")
        elif _TAG_LIKE.fullmatch(alias):
            hint = say("a tag goes to tagName; fromAlias is the name people see as sender")
            yield Problem("fromAlias", "looks like the console's email tag", hint)
        if len(alias) > _SAFE_ALIAS:
            yield Problem("fromAlias", say("has more than {most} characters", most=_SAFE_ALIAS), _SOME_PAGES)


def _template_warnings(template: Template, path: str) -> Iterable[Problem]:
    if len(template.subject) > _SAFE_SUBJECT:
        yield Problem(f"{path}.subject", say("has more than {most} characters", most=_SAFE_SUBJECT), _SOME_PAGES)
    if template.send_from and "@" in template.send_from:
        yield Problem(f"{path}.sendFrom", "holds an address, which has no effect", "the address is always accountName")
