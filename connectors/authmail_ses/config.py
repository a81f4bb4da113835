"""Settings of Amazon SES: Logto's keys, and what Logto lacks."""

import re
from collections.abc import Iterable, Mapping

import attrs

from authmail import ApiSettings, Mailbox, Problem, Secret, checks, say, setting, settings
from authmail_ses.signing import Credentials

# Botocore 1.44.8's list for email.<region>; SES has no region in China.
_REGIONS = re.compile(
    "af-south-1|ap-(?:east-2|northeast-[1-3]|south-[12]|southeast-[1-7])|ca-(?:central|west)-1|eusc-de-east-1"
    "|eu-(?:central-[12]|north-1|south-[12]|west-[1-3])|il-central-1|me-(?:central|south)-1|mx-central-1|sa-east-1"
    "|us-(?:east-[12]|west-[12]|gov-east-1|gov-west-1)"
)
# MessageTag of the service model: letters, digits, _ and -, at most 256.
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_NAME = "[A-Za-z0-9_-]{1,64}"
_NAME_HINT = "1 to 64 letters, digits, _ and -"
# IAM's page *Unique identifiers*: the beginning of temporary credentials.
_TEMPORARY = "ASIA"
# *Obtaining SES SMTP credentials*: Base64 of a version byte, 4, and 32 bytes. A secret access key has 40 characters.
_SMTP_PASSWORD = re.compile(r"B[A-Za-z0-9+/]{43}")
_ARN = re.compile(r"arn:[a-z-]+:ses:(?P<region>[a-z0-9-]+):[0-9]{12}:identity/.+")


def _tags(tags: Mapping[str, str]) -> None:
    if not all(_TAG.fullmatch(part) for pair in tags.items() for part in pair):
        raise ValueError("has a name or value that SES refuses", "1 to 256 letters, digits, _ and -")


def _word(token: Secret | None) -> None:
    if token is not None:
        checks.one_word(token)


def _ascii_mailbox(text: str | None) -> None:
    checks.one_mailbox(text)
    if text is not None and not Mailbox.parse(text).address.isascii():
        raise ValueError("must have ASCII characters alone before the @; SES knows no others")


@settings
class SESConfig(ApiSettings):
    """What an operator fills in. Lengths and names: the service model ``sesv2`` of botocore 1.44.8."""

    access_key_id: str = setting(
        "Access key ID",
        help="IAM > Users > Security credentials > Create access key; the user needs the right ses:SendEmail",
        placeholder="AKIA…",
        check=checks.exact,
    )
    access_key_secret: Secret = setting(
        "Secret access key", help="Shown once, when the access key is created; not the SMTP password", check=checks.one_word
    )
    session_token: Secret | None = setting(
        "Session token",
        help="Only with temporary credentials, whose access key ID begins with ASIA",
        check=_word,
        default=None,
    )
    region: str = setting(
        "Region",
        help="Where the sender is verified, such as eu-central-1; identities, quotas and sandbox are one region's own",
        placeholder="eu-central-1",
        pattern="[a-z]{2,4}(?:-[a-z]{1,20}){1,3}-[0-9]{1,2}",
        pattern_hint="such as eu-central-1",
        destination=True,
    )
    email_address: str = setting(
        "Sender",
        help="With or without a name; the address or its domain is verified at SES in this region",
        placeholder="Acme <no-reply@mail.example.com>",
        check=_ascii_mailbox,
    )
    email_address_identity_arn: str | None = setting(
        "Identity ARN of the sender",
        help="Only to send for an identity of another AWS account",
        max_length=2048,
        check=checks.exact,
        default=None,
    )
    reply_to: str | None = setting(
        "Reply to", help="Replies go here; a template's own address wins", check=_ascii_mailbox, default=None
    )
    feedback_forwarding_email_address: str | None = setting(
        "Address for bounces", help="Bounces and complaints go here; verified at SES too", check=_ascii_mailbox, default=None
    )
    feedback_forwarding_email_address_identity_arn: str | None = setting(
        "Identity ARN of the address for bounces",
        help="Only for an identity of another AWS account",
        max_length=2048,
        check=checks.exact,
        default=None,
    )
    configuration_set_name: str | None = setting(
        "Configuration set", help="For events and dedicated IPs", pattern=_NAME, pattern_hint=_NAME_HINT, default=None
    )
    tenant_name: str | None = setting("Tenant", help="Of SES", pattern=_NAME, pattern_hint=_NAME_HINT, default=None)
    tags: dict[str, str] = setting(
        "Tags",
        help="An object of names and values that come with the events of a configuration set",
        check=_tags,
        default=attrs.Factory(dict),
    )

    @property
    def url(self) -> str:
        """Where the API is."""
        domain = "amazonaws.eu" if self.region.startswith("eusc-") else "amazonaws.com"
        return checks.endpoint_url(self.endpoint, f"email.{self.region}.{domain}")

    @property
    def credentials(self) -> Credentials:
        """Who signs."""
        token = self.session_token.reveal() if self.session_token else None
        return Credentials(self.access_key_id, self.access_key_secret.reveal(), self.region, token)

    @property
    def sender(self) -> Mailbox:
        """The configured sender."""
        return Mailbox.parse(self.email_address)

    def warnings(self) -> Iterable[Problem]:
        """Yield what SES will refuse, or what somebody most likely did not mean."""
        if self.access_key_id.startswith(_TEMPORARY) and self.session_token is None:
            yield Problem("sessionToken", "is missing: an access key ID with ASIA is temporary", "fill in its session token too")
        if _SMTP_PASSWORD.fullmatch(self.access_key_secret.reveal()):
            hint = say("take the secret of an access key; the connector SMTP takes this one")
            yield Problem("accessKeySecret", "looks like a password for SMTP", hint)
        if not _REGIONS.fullmatch(self.region) and self.endpoint is None:
            yield Problem("region", "is none of the regions with SES that authmail knows", "check its spelling")
        yield from self._wrong_region()
        if self.tags and self.configuration_set_name is None:
            yield Problem("tags", "are seen nowhere without configurationSetName")
        yield from super().warnings()

    def _wrong_region(self) -> Iterable[Problem]:
        if self.endpoint and "amazonaws." in self.endpoint and self.region not in self.endpoint:
            yield Problem("endpoint", "is in another region than region", "SES refuses signatures of another region")
        for key, arn in (
            ("emailAddressIdentityArn", self.email_address_identity_arn),
            ("feedbackForwardingEmailAddressIdentityArn", self.feedback_forwarding_email_address_identity_arn),
        ):
            match = _ARN.fullmatch(arn or "")
            if arn and match is None:
                yield Problem(key, "does not look like the ARN of an identity", "arn:aws:ses:<region>:<account>:identity/<name>")
            elif match and match["region"] != self.region:
                yield Problem(key, "is of an identity in another region than region")
