"""AWS Signature Version 4 for the service ``ses``. Pure.

Sources: IAM's page *Create a signed AWS API request*, and the published SDKs, whose signatures the tests hold.
"""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote, unquote

import attrs
from yarl import URL

from authmail import hide_fields

ALGORITHM = "AWS4-HMAC-SHA256"
#: Not ``email``, as the host is called, and not ``sesv2``, as SDKs call it.
SERVICE = "ses"


@attrs.frozen(repr=False, field_transformer=hide_fields)
class Credentials:
    """Who signs, and for which region.

    Args:
        access_key_id: with its secret below.
        secret: of the access key.
        region: id of the region.
        token: the session token, with temporary credentials alone.
    """

    access_key_id: str
    secret: str
    region: str
    token: str | None = None


def signed_headers(
    method: str, url: str, headers: Mapping[str, str], body: bytes, by: Credentials, now: datetime
) -> dict[str, str]:
    """Return the headers of a signed request: those given, and what the signature needs.

    Args:
        method: of HTTP.
        url: as it is requested, with its query.
        headers: further ones, their names in lower case; all are signed.
        body: the exact body.
        by: who signs.
        now: the time, aware; AWS allows five minutes of difference.
    """
    target = URL(url)
    time = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    token = {} if by.token is None else {"x-amz-security-token": by.token}
    # The Host header has a port only where it is not the scheme's own.
    host = target.raw_authority
    if target.explicit_port and target.is_default_port():
        host = host.rpartition(":")[0]
    all_headers = dict(headers) | {"host": host, "x-amz-date": time} | token
    text = canonical_request(method, target.raw_path, target.raw_query_string, all_headers, body)
    scope = f"{time[:8]}/{by.region}/{SERVICE}/aws4_request"
    names = ";".join(sorted(all_headers))
    proof = signature(text, by.secret, scope, time)
    told = f"{ALGORITHM} Credential={by.access_key_id}/{scope}, SignedHeaders={names}, Signature={proof}"
    return all_headers | {"authorization": told}


def canonical_request(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> str:
    """Return a request in the form that is signed.

    Args:
        method: of HTTP.
        path: as it is sent. It is encoded once more, as AWS wants it of every service but S3.
        query: as it is sent; each name and value is encoded anew.
        headers: exactly those that are signed, their names in lower case.
        body: the exact body.
    """
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
    names = ";".join(sorted(headers))
    parameters = "&".join(sorted(_parameter(part) for part in query.split("&") if part))
    return f"{method}\n{quote(path or '/')}\n{parameters}\n{lines}\n{names}\n{sha256(body).hexdigest()}"


def _parameter(part: str) -> str:
    name, _, value = part.partition("=")
    return f"{quote(unquote(name), safe='')}={quote(unquote(value), safe='')}"


def signature(canonical: str, secret: str, scope: str, time: str) -> str:
    """Return the signature of a request in hexadecimal.

    Args:
        canonical: of :func:`canonical_request`.
        secret: of the access key.
        scope: day, region, service and ``aws4_request``, joined by slashes.
        time: ``20261125T131116Z``, of the same day.
    """
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    to_sign = f"{ALGORITHM}\n{time}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    return hmac.digest(key, to_sign.encode(), "sha256").hex()
