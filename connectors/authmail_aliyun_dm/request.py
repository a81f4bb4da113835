"""A mail and a config become one signed request. Pure: nonce and time come from outside."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlsplit

import attrs
from yarl import URL

from authmail import Email, MessageRejected, Reason, Request, hide_fields, refused, say
from authmail_aliyun_dm.config import LONGEST_SUBJECT, AliyunDMConfig
from authmail_aliyun_dm.signing import authorization_v3, canonical_to_sign_v3, percent_encode, sign_v1, string_to_sign_v1

_VERSION = "2015-11-23"  # in every region (sending-methods pages of 2025-12; the SDK)
_FORM = "application/x-www-form-urlencoded"
# Some pages say "fewer than 15", others "at most 15".
_SAFE_ALIAS = 14
_LONGEST_RECIPIENT = 192
# SingleSendMail's page: about 8 MB where the body is a form.
_LARGEST_BODY = 8 * 1000 * 1000
# SDK 1.11.1: the parameter Headers, since version 1.2.3. The service drops every other header, and those after the tenth.
_HEADER = re.compile(r"Message-ID|List-Unsubscribe(?:-Post)?|X-User-.+", re.IGNORECASE)
_MOST_HEADERS = 10


@attrs.frozen(repr=False, kw_only=True, field_transformer=hide_fields)
class SignedRequest(Request):
    """A signed request, ready to be posted, also a second time.

    Args:
        signed: gives the text that was signed, to compare with what a server echoes. V1's holds the whole mail.
    """

    signed: Callable[[], str]


def single_send_mail(email: Email, config: AliyunDMConfig, nonce: str, now: datetime) -> SignedRequest:
    """Return the request that sends a mail.

    Args:
        email: the mail.
        config: the settings.
        nonce: a text that was never used before.
        now: the time, aware; the provider allows 15 minutes of difference.

    Raises:
        MessageRejected: the mail breaks a limit that the provider is known to have.
    """
    return signed_request("SingleSendMail", _parameters(email, config), config, nonce=nonce, now=now)


def signed_request(
    action: str, parameters: Mapping[str, str], config: AliyunDMConfig, *, nonce: str, now: datetime
) -> SignedRequest:
    """Return the signed POST of any action, its parameters in the form body."""
    date = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    sign = _signed_v1 if config.signature == "v1" else _signed_v3
    return sign(action, parameters, config, nonce, date)


def _parameters(email: Email, config: AliyunDMConfig) -> dict[str, str]:
    _check_lengths(email)
    reply_to, reply_name = _reply_mailbox(email, config)
    # Whether HTML and text together give a multipart mail is not known, so a derived text stays at home.
    text = email.text if email.html is None or email.text_is_own else None
    parameters = {
        # An address in a template's sendFrom has no effect: the sender is always accountName.
        "AccountName": config.account_name,
        "AddressType": "1",
        "ReplyToAddress": "true" if config.reply_to_address and reply_to is None else "false",
        "ToAddress": email.to.address,
        "Subject": email.subject,
        "ClickTrace": "1" if config.click_trace else "0",
        "HtmlBody": email.html,
        "TextBody": text,
        "FromAlias": email.from_name[:_SAFE_ALIAS] or config.from_alias or None,
        "ReplyAddress": reply_to,
        "ReplyAddressAlias": reply_name,
        "TagName": config.tag_name,
        "Headers": _headers(email.headers) if email.headers else None,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def _check_lengths(email: Email) -> None:
    if len(email.subject) > LONGEST_SUBJECT:
        raise _too_long("the subject has {count} characters, at most {most} are allowed", len(email.subject), LONGEST_SUBJECT)
    if len(email.to.address) > _LONGEST_RECIPIENT:
        hint = "the recipient has {count} characters, at most {most} are allowed"
        raise _too_long(hint, len(email.to.address), _LONGEST_RECIPIENT, Reason.RECIPIENT)


def _reply_mailbox(email: Email, config: AliyunDMConfig) -> tuple[str | None, str | None]:
    """Return address and name that answers go to, the mail's before the config's; None for what there is not."""
    if email.reply_to:
        return email.reply_to.address, email.reply_to.name[:_SAFE_ALIAS] or None
    if config.reply_address is None:
        return None, None
    return config.reply_address, config.reply_address_alias or None


def _headers(headers: Mapping[str, str]) -> str:
    """Return headers as the service wants them; refuse those that it would drop without a word."""
    for name in headers:
        if not _HEADER.fullmatch(name):
            hint = say("the mail has the header {name}; only Message-ID, List-Unsubscribe and X-User-… are sent", name=name)
            raise refused(hint)
    if len(headers) > _MOST_HEADERS:
        raise _too_long("the mail has {count} headers, at most {most} are sent", len(headers), _MOST_HEADERS)
    return json.dumps(dict(headers), ensure_ascii=False, separators=(",", ":"))


def _too_long(hint: str, count: int, most: int, reason: Reason = Reason.CONTENT) -> MessageRejected:
    return refused(say(hint, count=count, most=most), reason)


def _checked(body: bytes) -> bytes:
    if len(body) > _LARGEST_BODY:
        raise _too_long("the mail has {count} bytes, at most {most} are allowed", len(body), _LARGEST_BODY)
    return body


def _signed_v3(action: str, parameters: Mapping[str, str], config: AliyunDMConfig, nonce: str, date: str) -> SignedRequest:
    url = urlsplit(config.url)
    # yarl encodes a form six times as fast as urllib, and that is most of the work per mail. V3 signs the bytes as they
    # are; V1 below needs RFC 3986 to the letter.
    body = _checked(URL.build(query=parameters).raw_query_string.encode("ascii"))
    body_hash = sha256(body).hexdigest()
    token = config.security_token
    # In the order of their names, as they are signed.
    headers = {
        "content-type": _FORM,
        "host": url.netloc,
        **({} if token is None else {"x-acs-accesskey-id": config.access_key_id}),
        "x-acs-action": action,
        "x-acs-content-sha256": body_hash,
        "x-acs-date": date,
        **({} if token is None else {"x-acs-security-token": token.reveal()}),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": _VERSION,
    }
    text, names = canonical_to_sign_v3("POST", url.path, "", headers, body_hash)
    headers["authorization"] = authorization_v3(text, names, config.access_key_id, config.signing_key)
    headers["accept"] = "application/json"
    return SignedRequest(url=config.url, headers=headers, body=body, signed=lambda: text)


def _signed_v1(action: str, parameters: Mapping[str, str], config: AliyunDMConfig, nonce: str, date: str) -> SignedRequest:
    everything = {
        "Action": action,
        "Format": "JSON",
        "Version": _VERSION,
        "RegionId": config.region_id,
        "AccessKeyId": config.access_key_id,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": nonce,
        "Timestamp": date,
        **parameters,
    }
    if config.security_token is not None:
        everything["SecurityToken"] = config.security_token.reveal()
    signature = sign_v1("POST", everything, config.access_key_secret.reveal())
    pairs = [f"{name}={percent_encode(value)}" for name, value in {**everything, "Signature": signature}.items()]
    body = _checked("&".join(pairs).encode("ascii"))
    return SignedRequest(
        url=config.url,
        headers={"content-type": _FORM, "accept": "application/json"},
        body=body,
        signed=lambda: string_to_sign_v1("POST", everything),
    )
