"""Alibaba Cloud's request signatures: V1 (RPC, HMAC-SHA1) and V3 (ACS3-HMAC-SHA256). Pure.

Sources: Direct Mail's "request signatures" page (2026-06) for V1, the V3 page "request structure and signature", and
the published SDKs, whose vectors the tests hold.
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import quote

_ALGORITHM = "ACS3-HMAC-SHA256"


def percent_encode(text: str) -> str:
    """Return UTF-8 text encoded by RFC 3986: all but letters, digits and ``-_.~``."""
    return quote(text, safe="~")


def string_to_sign_v1(method: str, params: Mapping[str, str]) -> str:
    """Return the text that V1 signs.

    Args:
        method: HTTP method.
        params: every parameter of query and form, without ``Signature``; empty values count.
    """
    # Sorted by the raw name, before encoding.
    pairs = "&".join(f"{percent_encode(name)}={percent_encode(params[name])}" for name in sorted(params))
    # The pairs are encoded a second time. Once encoded only three characters are left that change.
    return f"{method}&%2F&{pairs.replace('%', '%25').replace('=', '%3D').replace('&', '%26')}"


def sign_v1(method: str, params: Mapping[str, str], secret: str) -> str:
    """Return the V1 signature, Base64."""
    return _signature_v1(string_to_sign_v1(method, params), secret)


def _signature_v1(text: str, secret: str) -> str:
    return b64encode(hmac.digest(f"{secret}&".encode(), text.encode(), "sha1")).decode()


def string_to_sign_v3(method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes | str) -> str:
    """Return the text that V3 signs: the algorithm and the hash of the canonical request.

    Args:
        method: HTTP method.
        path: path of the URL; ``/`` for Direct Mail.
        query: parameters of the query.
        headers: the headers to sign, exactly these.
        body: the exact body.
    """
    return _to_sign_v3(method, path, query, headers, body)[0]


def sign_v3(
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes | str,
    access_key_id: str,
    secret: str,
) -> str:
    """Return the value of the ``Authorization`` header; parameters as for :func:`string_to_sign_v3`."""
    text, names = _to_sign_v3(method, path, query, headers, body)
    return authorization_v3(text, names, access_key_id, key_v3(secret))


def _to_sign_v3(
    method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes | str
) -> tuple[str, str]:
    pairs = "&".join([f"{percent_encode(name)}={percent_encode(query[name])}" for name in sorted(query)])
    lines = dict(sorted((name.lower(), value.strip()) for name, value in headers.items()))
    body_hash = sha256(body.encode() if isinstance(body, str) else body).hexdigest()
    return canonical_to_sign_v3(method, path, pairs, lines, body_hash)


def canonical_to_sign_v3(method: str, path: str, query: str, headers: Mapping[str, str], body_hash: str) -> tuple[str, str]:
    """Return the text that V3 signs for a request that is in canonical form already, and the names of its headers.

    Args:
        method: HTTP method.
        path: path of the URL.
        query: encoded and sorted.
        headers: the headers to sign, in the order of their names, which are lower case; values without blanks around.
        body_hash: SHA-256 of the body, hexadecimal.
    """
    names = ";".join(headers)
    lines = "\n".join([*map(":".join, headers.items()), ""])
    canonical = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{body_hash}"
    return f"{_ALGORITHM}\n{sha256(canonical.encode()).hexdigest()}", names


def key_v3(secret: str) -> hmac.HMAC:
    """Return what every V3 signature with a secret starts from. Setting it up costs more than the signature."""
    return hmac.new(secret.encode(), digestmod="sha256")


def authorization_v3(text: str, names: str, access_key_id: str, key: hmac.HMAC) -> str:
    """Return the value of the ``Authorization`` header for the text to sign and the names of the signed headers."""
    signature = key.copy()
    signature.update(text.encode())
    return f"{_ALGORITHM} Credential={access_key_id},SignedHeaders={names},Signature={signature.hexdigest()}"
