"""A provider's answer over HTTP, and what its status means when nothing else tells."""

import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import attrs

from authmail.outcomes import (
    AccountError,
    Meaning,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Phase,
    Reason,
    SendError,
    Throttled,
)
from authmail.privacy import hide_fields

#: A provider's answer is a few hundred bytes; what is longer is cut, and unreadable then.
REPLY_LIMIT = 1024 * 1024


@attrs.frozen(repr=False, field_transformer=hide_fields)
class Reply:
    """A provider's answer.

    Args:
        status: HTTP status.
        headers: names in any case.
        body: at most 1 MiB.
        complete: False where the body was longer.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            SendError: it is no JSON: what :meth:`failure` says of the status, so OutcomeUnknown on a 2xx.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            failure = self.failure()
        raise failure

    def failure(self, meaning: Meaning | None = None, /, **details: Any) -> SendError:
        """Return the error that the answer means: by a connector's own table, else by its status.

        401 and 407 are credentials, 402 quota, 403 permission, 404, 405, 410, 415 and redirects the endpoint: account
        errors all. 408, 425 and 503 are not sent, 429 is throttled, other 4xx rejected, the rest unknown: also a 2xx, for
        whoever asks for its failure could not read it.

        Args:
            meaning: what it means; None lets the status tell.
            **details: attributes of the :class:`~authmail.SendError`, such as ``code``, ``hint`` and ``detail``.
        """
        known = {"phase": Phase.AFTER, "status": self.status, "retry_after": retry_after(self.headers)}
        return (meaning or meaning_of_status(self.status)).error(**known | details)

    def __repr__(self) -> str:
        return f"Reply(status={self.status}, body=<{len(self.body)} bytes>)"


def meaning_of_status(status: int) -> Meaning:
    """Return what an HTTP status means where nothing else tells (RFC 9110 section 15)."""
    found = _STATUSES.get(status)
    if found is not None:
        return found
    return _OTHERS.get(status // 100, _UNKNOWN)


_ELSEWHERE = "nothing takes mail at this endpoint; check its address"
_STATUSES: dict[int, Meaning] = {
    401: Meaning(AccountError, Reason.CREDENTIALS, "the provider does not accept the credentials; check them"),
    402: Meaning(AccountError, Reason.QUOTA, "the provider asks for payment; see the account's quota and bill"),
    403: Meaning(
        AccountError, Reason.PERMISSION, "the provider forbids it; check the rights of the credentials, and the account"
    ),
    404: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
    405: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
    407: Meaning(AccountError, Reason.CREDENTIALS, "a proxy in between asks for a password"),
    408: Meaning(NotSent, Reason.TIMEOUT, "the provider did not get the whole request in time"),
    410: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
    415: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
    425: Meaning(NotSent, Reason.PROVIDER, "the provider does not want the request yet"),
    429: Meaning(Throttled, Reason.RATE, "the provider asks to send slower"),
    503: Meaning(NotSent, Reason.PROVIDER, "the provider is not available now"),
}
#: First digit of a status → meaning.
_OTHERS: dict[int, Meaning] = {
    3: Meaning(AccountError, Reason.ENDPOINT, "the endpoint redirects; redirects are never followed, so check the endpoint"),
    4: Meaning(MessageRejected, Reason.PROVIDER, "the provider refused the request"),
}
_UNKNOWN = Meaning(OutcomeUnknown, Reason.PROVIDER, "the provider's answer does not tell whether it took the mail")


def unpack(body: bytes, coding: str) -> bytes:
    """Return a body without its content coding; of a longer one than :data:`REPLY_LIMIT` a byte more than that.

    Args:
        body: as it came.
        coding: the header ``Content-Encoding``; gzip and deflate are known (RFC 9110 section 8.4.1).

    Raises:
        zlib.error: it is not compressed as it says, not whole, or in a way that nobody asked for.
    """
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        return body
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise zlib.error("a coding that was not asked for")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: told apart by their heads
    content = unpacker.decompress(body, REPLY_LIMIT + 1)
    if not unpacker.eof and len(content) <= REPLY_LIMIT:
        raise zlib.error("the end is missing")
    return content


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a ``Retry-After`` header (RFC 9110 section 10.2.3), given in seconds or as a date."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        when = parsedate_to_datetime(value)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):  # no date, or one of a year that no calendar has
        return None
