"""C1: a key of a config decides neither how long the loop stands still nor how much is computed for it."""

import base64
import subprocess
import time

import pytest
from attacks import longest_stall
from cpu_time import cpu_seconds

from authmail import AccountError, Egress, SendError
from authmail.http.client import Http
from authmail.http.session import Transport

pytest.importorskip("cryptography")

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, PrivateFormat

from authmail_smtp import private_key
from authmail_smtp.login import Login
from authmail_smtp.oauth import Tokens

KEY = rsa.generate_private_key(65537, 2048)
PLAIN = NoEncryption()


def pem(key=KEY, encryption=PLAIN, form=PrivateFormat.PKCS8):
    return key.private_bytes(serialization.Encoding.PEM, form, encryption).decode()


def der(tag, *parts):
    """Return a value of DER."""
    content = b"".join(parts)
    length = bytes([len(content)]) if len(content) < 128 else b"\x82" + len(content).to_bytes(2, "big")
    return bytes([tag]) + length + content


def number(value):
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def encrypted(function, *parameters):
    """Return a key whose passphrase goes through a function, as its author wrote it; nobody can decrypt it."""
    derivation = der(0x30, der(6, bytes.fromhex(function)), der(0x30, der(4, b"saltsalt"), *parameters))
    cipher = der(0x30, der(6, bytes.fromhex("60864801650304012a")), der(4, bytes(16)))
    scheme = der(0x30, der(6, bytes.fromhex("2a864886f70d01050d")), der(0x30, derivation, cipher))
    text = base64.b64encode(der(0x30, scheme, der(4, bytes(1200)))).decode()
    return f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{text}\n-----END ENCRYPTED PRIVATE KEY-----\n"


PBKDF2, SCRYPT = "2a864886f70d01050c", "2b06010401da47040b"
TOO_DEAR = {
    "20,000,000 rounds": encrypted(PBKDF2, number(20_000_000)),
    "rounds without end": encrypted(PBKDF2, number(10**100)),
    "a gigabyte of scrypt": encrypted(SCRYPT, number(2**20), number(8), number(1)),
    "scrypt again and again": encrypted(SCRYPT, number(2**14), number(8), number(1000)),
    "a way of long ago": encrypted(PBKDF2, number(2048)).replace("BgkqhkiG9w0BBQ0", "BgkqhkiG9w0BBQM"),
}


@pytest.mark.parametrize("encryption", [None, "hunter2", "scrypt"])
def test_good_keys_are_read(encryption):
    """Plain, and encrypted as libraries and OpenSSL do by default."""
    if encryption == "scrypt":
        command = ["openssl", "pkcs8", "-topk8", "-passout", "pass:hunter2", "-scrypt"]
        text = subprocess.run(command, input=pem().encode(), capture_output=True, check=True).stdout.decode()
    else:
        text = pem(encryption=BestAvailableEncryption(b"hunter2") if encryption else NoEncryption())
    loaded = private_key.load_key(text, "hunter2" if encryption else None)
    assert loaded.private_numbers() == KEY.private_numbers()


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
def test_a_wrong_passphrase_is_told(form):
    """As a ValueError, whatever the wrong key makes of the content."""
    text = pem(encryption=BestAvailableEncryption(b"hunter2"), form=form)
    with pytest.raises(ValueError):
        private_key.load_key(text, "hunter3")


@pytest.mark.parametrize("name", TOO_DEAR)
def test_a_dear_key_is_refused_before_it_is_tried(name):
    """Within the time that reading takes, not deriving."""

    def load_dear():
        with pytest.raises(private_key.TooDear):
            private_key.load_key(TOO_DEAR[name], "hunter2")

    good = pem()
    assert cpu_seconds(load_dear) < 10 * cpu_seconds(lambda: private_key.load_key(good, None))


def test_a_large_key_is_refused():
    """Checking one of 8,192 bits, as OpenSSL does, would take many seconds."""
    large = rsa.generate_private_key(65537, private_key.LARGEST_KEY + 512)
    with pytest.raises(private_key.TooDear, match="4608 bits; at most 4096"):
        private_key.load_key(pem(large), None)


def test_numbers_that_do_not_belong_together_are_no_key():
    """What OpenSSL would find out slowly is looked at here: a signature with them could tell the key."""
    numbers = KEY.private_numbers()
    for wrong in ({"dmp1": numbers.dmp1 + 2}, {"d": numbers.d + 2}, {"iqmp": numbers.iqmp + 1}):
        parts = {name: getattr(numbers, name) for name in ("p", "q", "d", "dmp1", "dmq1", "iqmp", "public_numbers")} | wrong
        broken = rsa.RSAPrivateNumbers(**parts).private_key(unsafe_skip_rsa_key_validation=True)
        with pytest.raises(ValueError, match="belong together"):
            private_key.load_key(pem(broken), None)


async def failure_and_stall(key):
    """Return what fetching a token says, and the longest time for which the loop did nothing else."""
    auth = {"type": "oauth2", "user": "u", "serviceClient": "c", "privateKey": key, "passphrase": "hunter2"}
    login = Login.from_dict(auth | {"accessUrl": "http://127.0.0.1:9/"})
    async with Transport(egress=Egress.ANY) as transport, longest_stall() as stalls:
        with pytest.raises(SendError) as caught:  # a harmless key fails at the closed port
            await Tokens(login).get(Http(transport, time.monotonic() + 10), 10)
    return caught.value, stalls[0]


async def test_the_loop_goes_on():
    """A key as dear as allowed stalls it no more than a harmless one in the same process: by a ratio, for machines differ."""
    harmless = pem(encryption=BestAvailableEncryption(b"hunter2"))
    await failure_and_stall(harmless)  # what is imported once is not measured
    measured = [(await failure_and_stall(harmless))[1] for _ in range(3)]
    dear = encrypted(PBKDF2, number(private_key.MOST_ROUNDS))
    stalls = [(await failure_and_stall(key))[1] for key in (dear, *TOO_DEAR.values())]
    assert max(stalls) < max(20 * max(measured), 0.15)


async def test_it_is_an_account_error_that_names_the_setting():
    """And says why."""
    error, _ = await failure_and_stall(TOO_DEAR["20,000,000 rounds"])
    assert isinstance(error, AccountError)
    assert "auth.privateKey cannot be used: its passphrase goes through 20,000,000 rounds" in error.hint
