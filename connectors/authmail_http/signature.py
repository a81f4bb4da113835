"""Signatures of Standard Webhooks (symmetric, version v1), with which an endpoint tells our requests from others."""

import hmac
from base64 import b64decode, b64encode

from authmail import Secret


def key_of(secret: Secret) -> bytes:
    """Return the key of a signing secret: ``whsec_`` and Base64, also with the ``v1,`` that some consoles put before it.

    Raises:
        ValueError: it is not Base64.
    """
    return b64decode(secret.reveal().strip().removeprefix("v1,").removeprefix("whsec_"), validate=True)


def sign(key: bytes, identifier: str, timestamp: int, body: bytes) -> str:
    """Return the value of ``webhook-signature``.

    Args:
        key: of :func:`key_of`.
        identifier: of the message; the same on every repeat.
        timestamp: now, seconds since 1970.
        body: the exact bytes that go out.
    """
    signed = b".".join((identifier.encode("ascii"), str(timestamp).encode("ascii"), body))
    return f"v1,{b64encode(hmac.digest(key, signed, 'sha256')).decode('ascii')}"
