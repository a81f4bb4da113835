"""Reading a private key at a cost that its author does not choose.

Whoever makes an encrypted key says how many rounds its passphrase goes through, and checking a large key takes seconds
in which nothing else of Python runs. So sizes are judged first; then the rounds run where others get their turns.
"""

import hashlib
import re
from base64 import b64decode
from typing import TYPE_CHECKING

import attrs

from authmail import hide_fields, say

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

#: Bits of an RSA key. Google's have 2048.
LARGEST_KEY = 4096
#: Rounds of PBKDF2; OpenSSL's default is 2,048.
MOST_ROUNDS = 1_000_000
#: Bytes that scrypt may take, and how often; OpenSSL's default is 16 MiB, once.
MOST_MEMORY, MOST_PASSES = 32 * 1024 * 1024, 4
_LARGEST_EXPONENT = 64

_ENCRYPTED = re.compile(r"-----BEGIN ENCRYPTED PRIVATE KEY-----([A-Za-z0-9+/=\s]*)-----END ENCRYPTED PRIVATE KEY-----")
# Object identifiers in DER: RFC 8018, RFC 7914, NIST's AES.
_PBES2, _PBKDF2 = bytes.fromhex("2a864886f70d01050d"), bytes.fromhex("2a864886f70d01050c")
_SCRYPT = bytes.fromhex("2b06010401da47040b")
_HASHES = {
    bytes.fromhex(f"2a864886f70d02{end}"): name
    for end, name in (("07", "sha1"), ("09", "sha256"), ("0a", "sha384"), ("0b", "sha512"))
}
_AES = {bytes.fromhex(f"6086480165030401{end}"): size for end, size in (("02", 16), ("16", 24), ("2a", 32))}
_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30
_LONGEST_NUMBER = 8
_BLOCK = 16


class TooDear(ValueError):
    """A key that would take too long to read or to use; with words."""


@attrs.frozen(repr=False, field_transformer=hide_fields)
class _Part:
    """One value of DER."""

    tag: int
    content: bytes

    @property
    def parts(self) -> "list[_Part]":
        """What a sequence is made of."""
        return _parts(self.content) if self.tag == _SEQUENCE else []

    @property
    def number(self) -> int:
        """The value of an integer; a longer one than anybody needs is too dear."""
        if self.tag != _INTEGER:
            raise ValueError("no integer")
        if len(self.content) > _LONGEST_NUMBER:
            raise TooDear(say("it asks for too much work"))
        return int.from_bytes(self.content, "big")


def load_key(pem: str, passphrase: str | None) -> "RSAPrivateKey":
    """Return the RSA key of a PEM text. Takes a while where it is encrypted: call it beside the loop.

    Raises:
        TooDear: it would take too long.
        ValueError: it cannot be read, or is no RSA key.
        TypeError: a passphrase is missing or too much.
        ImportError: the package ``cryptography`` is missing.
    """
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

    encrypted = _ENCRYPTED.search(pem)
    # Not checked by OpenSSL, which for a large one takes seconds, but below.
    if encrypted is None:
        key = load_pem_private_key(pem.encode(), passphrase.encode() if passphrase else None, unsafe_skip_rsa_key_validation=True)
    elif passphrase is None:
        raise TypeError("no passphrase")
    else:
        der = _decrypted(b64decode(encrypted[1]), passphrase.encode())
        key = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("no RSA key")
    _check(key)
    return key


def _check(key: "RSAPrivateKey") -> None:
    """Refuse a key that is too large, or whose numbers do not belong together."""
    if key.key_size > LARGEST_KEY:
        raise TooDear(say("it has {bits} bits; at most {most} are read", bits=key.key_size, most=LARGEST_KEY))
    numbers = key.private_numbers()
    p, q, public = numbers.p, numbers.q, numbers.public_numbers
    fits = (
        p * q == public.n
        and p % 2 == q % 2 == public.e % 2 == 1
        and public.e.bit_length() <= _LARGEST_EXPONENT
        and numbers.d < public.n
        and (public.e * numbers.d) % (p - 1) == (public.e * numbers.d) % (q - 1) == 1
        and numbers.d % (p - 1) == numbers.dmp1
        and numbers.d % (q - 1) == numbers.dmq1
        and (numbers.iqmp * q) % p == 1
    )
    if not fits:
        raise ValueError("its numbers do not belong together")


def _decrypted(der: bytes, passphrase: bytes) -> bytes:
    """Return the key within an EncryptedPrivateKeyInfo (RFC 5958), encrypted as OpenSSL and everybody does today."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC
    from cryptography.hazmat.primitives.padding import PKCS7

    (whole,) = _parts(der)
    algorithm, encrypted = whole.parts
    scheme, parameters = algorithm.parts
    if scheme.content != _PBES2:
        raise TooDear(say("it is encrypted in an old way; write it anew with openssl pkcs8 -topk8 -v2 aes-256-cbc"))
    derivation, cipher = (part.parts for part in parameters.parts)
    kind, vector = cipher
    size = _AES.get(kind.content)
    if size is None or len(vector.content) != _BLOCK:
        raise TooDear(say("it is encrypted in an old way; write it anew with openssl pkcs8 -topk8 -v2 aes-256-cbc"))
    secret = _derived(derivation[0].content, derivation[1].parts, passphrase, size)
    decryptor = Cipher(AES(secret), CBC(vector.content)).decryptor()
    padded = decryptor.update(encrypted.content) + decryptor.finalize()
    unpadder = PKCS7(_BLOCK * 8).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def _derived(function: bytes, parameters: list[_Part], passphrase: bytes, size: int) -> bytes:
    """Return the key that a passphrase gives. Both functions let others run meanwhile."""
    if function == _PBKDF2:
        salt, rounds, *further = parameters
        if rounds.number > MOST_ROUNDS:
            hint = say(
                "its passphrase goes through {rounds:,} rounds; at most {most:,} are done", rounds=rounds.number, most=MOST_ROUNDS
            )
            raise TooDear(hint)
        # Left out, it is SHA-1 (RFC 8018).
        named = next((part.parts[0].content for part in further if part.tag == _SEQUENCE), next(iter(_HASHES)))
        return hashlib.pbkdf2_hmac(_HASHES[named], passphrase, salt.content, rounds.number, size)
    if function != _SCRYPT:
        raise ValueError("unknown derivation")
    salt, cost, block, passes, *_ = parameters
    memory = 128 * cost.number * block.number
    if memory > MOST_MEMORY or passes.number > MOST_PASSES:
        raise TooDear(say("its passphrase takes more memory or passes of scrypt than are allowed"))
    return hashlib.scrypt(
        passphrase, salt=salt.content, n=cost.number, r=block.number, p=passes.number, maxmem=2 * MOST_MEMORY, dklen=size
    )


def _parts(data: bytes) -> list[_Part]:
    """Return the values that DER holds, one after another; raise ValueError if it is no DER."""
    parts, at = [], 0
    while at < len(data):
        if at + 2 > len(data):
            raise ValueError("cut off")
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            width = length & 0x7F
            length, at = int.from_bytes(data[at : at + width], "big"), at + width
        if at + length > len(data):
            raise ValueError("cut off")
        parts.append(_Part(tag, data[at : at + length]))
        at += length
    return parts
