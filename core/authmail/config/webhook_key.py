"""The key that webhooks are signed with, by which a receiver tells our requests from others."""

from base64 import b64decode, b64encode

from authmail.config.secret import Secret
from authmail.privacy import raise_afresh


class WebhookKey:
    """A key of Standard Webhooks (symmetric, version v1; https://www.standardwebhooks.com). Shown to nobody.

    Args:
        secret: ``whsec_`` and Base64, also with the ``v1,`` that some consoles put before it.

    Raises:
        ValueError: it is not Base64.
    """

    __slots__ = ("_key",)

    @raise_afresh
    def __init__(self, secret: Secret) -> None:
        self._key = b64decode(secret.reveal().strip().removeprefix("v1,").removeprefix("whsec_"), validate=True)

    def __len__(self) -> int:
        """How many bytes it has; Standard Webhooks asks for 24 to 64."""
        return len(self._key)

    def signature(self, identifier: str, timestamp: int, body: bytes) -> str:
        """Return the value of ``webhook-signature``; see :meth:`headers`."""
        import hmac  # imported late: it loads OpenSSL, which listing and validating do not need

        signed = b".".join((identifier.encode("ascii"), str(timestamp).encode("ascii"), body))
        return f"v1,{b64encode(hmac.digest(self._key, signed, 'sha256')).decode('ascii')}"

    def headers(self, identifier: str, timestamp: int, body: bytes) -> dict[str, str]:
        """Return the headers of a signed request.

        Args:
            identifier: of what is told; the same on every repeat. Printable ASCII.
            timestamp: now, seconds since 1970.
            body: the exact bytes that go out.
        """
        return {
            "webhook-id": identifier,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": self.signature(identifier, timestamp, body),
        }

    def __repr__(self) -> str:
        return "WebhookKey()"
