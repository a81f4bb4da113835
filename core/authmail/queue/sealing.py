"""One sealed box per message: whoever reads the queue's table, or a dump of it, learns no address, code, link or body.

AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits. What the box belongs to is bound to it, so a box that is moved to another row does
not open. A key seals far fewer than the 2^32 messages that a random nonce allows.
"""

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from authmail.config.secret import Secret
from authmail.errors import AuthmailError

_KEY_BYTES, _NONCE_BYTES = 32, 12
_ID_LETTERS = 16
# The box of a plain text is at least so long, so that its length does not tell a code from a link.
_STEP = 256


class UnknownKey(AuthmailError):
    """A message was sealed with a key that is not among those given. The text names its id, never a key."""


class BrokenBox(AuthmailError):
    """A sealed message does not open: it was changed, or belongs to another row."""


def new_key() -> str:
    """Return a fresh key, as text of 43 letters, digits, ``-`` and ``_``."""
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).rstrip(b"=").decode()


def read_key(text: str) -> bytes:
    """Return the bytes of a key.

    Raises:
        ValueError: it is none; the text is not told.
    """
    try:
        key = base64.b64decode(text.strip().rstrip("=") + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise ValueError("is no key of a queue; authmail key new makes one")
    return key


def key_id(key: bytes) -> str:
    """Return what a key is called where people read it; the key cannot be told from it."""
    return hashlib.sha256(b"authmail queue key\0" + key).hexdigest()[:_ID_LETTERS]


class QueueKeys:
    """The keys of a queue: the first seals, the others still open.

    Args:
        keys: as :func:`new_key` makes them.

    Raises:
        ValueError: there is none, or one is no key.
    """

    def __init__(self, keys: Iterable[Secret | str]) -> None:
        read = [read_key(key.reveal() if isinstance(key, Secret) else key) for key in keys]
        if not read:
            raise ValueError("a queue needs a key; authmail key new makes one")
        self._boxes = {key_id(key): AESGCM(key) for key in read}
        self.first = key_id(read[0])

    @property
    def ids(self) -> tuple[str, ...]:
        """What the keys are called, the one that seals first."""
        return tuple(self._boxes)

    def seal(self, plain: bytes, belongs_to: Iterable[str]) -> bytes:
        """Return a box, sealed with the first key.

        Args:
            plain: the content.
            belongs_to: what is bound to it, such as table and ticket.
        """
        nonce = os.urandom(_NONCE_BYTES)
        padded = plain + b" " * (-len(plain) % _STEP)  # JSON, to which blanks at the end are nothing
        return nonce + self._boxes[self.first].encrypt(nonce, padded, _bound(belongs_to, self.first))

    def open(self, box: bytes, belongs_to: Iterable[str], key: str) -> bytes:
        """Return the content of a box.

        Args:
            box: as :meth:`seal` made it.
            belongs_to: the same as then.
            key: id of the key.

        Raises:
            UnknownKey: there is no such key.
            BrokenBox: it does not open.
        """
        opener = self._boxes.get(key)
        if opener is None:
            raise UnknownKey(f"no key with the id {key[:_ID_LETTERS]} is given")
        try:
            return opener.decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], _bound(belongs_to, key))
        except (InvalidTag, ValueError):
            pass
        raise BrokenBox("the box of a message does not open: it was changed, or belongs to another row")

    def __repr__(self) -> str:
        return f"QueueKeys({', '.join(self.ids)})"


def _bound(belongs_to: Iterable[str], key: str) -> bytes:
    return "".join(f"{len(part)}:{part}" for part in (*belongs_to, key)).encode()
