"""The signed request of a service account for an access token (RFC 7523), as Google wants it."""

import json
import time
from base64 import urlsafe_b64encode

from authmail import AccountError, Phase, Reason, say
from authmail_smtp.login import Login
from authmail_smtp.private_key import TooDear, load_key

_SCOPE = "https://mail.google.com/"
_LIFE = 3600


def assertion(login: Login) -> str:
    """Return the JSON Web Token, signed with the account's key (RS256). Takes a while: call it beside the loop.

    Raises:
        AccountError: the key cannot be read, or the package ``cryptography`` is missing.
    """
    now = int(time.time())
    claims = {
        "iss": login.service_client,
        "sub": login.user,
        "scope": _SCOPE,
        "aud": login.token_url,
        "iat": now,
        "exp": now + _LIFE,
    }
    signed = f"{_encoded({'alg': 'RS256', 'typ': 'JWT'})}.{_encoded(claims)}"
    return f"{signed}.{_base64(_signature(login, signed.encode()))}"


def _signature(login: Login, signed: bytes) -> bytes:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256
    except ImportError:
        hint = say("auth.privateKey needs the package cryptography: pip install 'authmail[service-account]'")
        raise AccountError(hint, reason=Reason.CONFIG, phase=Phase.BEFORE) from None
    # Some keep the key in one line, with \n written out.
    pem = login.private_key.reveal().replace("\\n", "\n") if login.private_key else ""
    hint = say("auth.privateKey is not an RSA key in PEM form")
    try:
        return load_key(pem, login.passphrase.reveal() if login.passphrase else None).sign(signed, PKCS1v15(), SHA256())
    except TooDear as error:
        hint = say("auth.privateKey cannot be used: {why}", why=error.args[0])
    except (ValueError, TypeError, LookupError, UnsupportedAlgorithm):
        pass
    raise AccountError(hint, reason=Reason.CREDENTIALS, phase=Phase.BEFORE)


def _encoded(value: object) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
