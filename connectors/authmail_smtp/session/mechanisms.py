"""What each kind of login says, prompt by prompt (SASL within SMTP, RFC 4954). Pure.

A mechanism answers the prompt that was asked, and gives each thing once; to any other prompt it answers None, which ends
the dialogue. A password is never the answer to a prompt that asks for a name.
"""

import hmac
import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import attrs

from authmail import hide_fields

# What a prompt of LOGIN says, in the languages that servers are known to say it in. "Username:" and "Password:" are what
# Outlook waits for, "User Name" and "Password" what draft-murchison-sasl-login-00 says, which lets clients ignore both.
_NAME = re.compile(
    r"user|name|login|account|e-?mail|benutzer|utilisateur|identifiant|usu[aá]rio|логин|пользовател|用户|帐号|账号|帳號"
)
_PASSWORD = re.compile(r"pass|pwd|kennwort|contrase|senha|парол|密码|密碼|パスワード")
_SHOWN = 200


@attrs.frozen(repr=False, field_transformer=hide_fields)
class Identity:
    """Who logs in, and where.

    Args:
        user: the name.
        secret: password or access token.
        host: of the server, as OAUTHBEARER tells it.
        port: likewise.
    """

    user: str
    secret: str
    host: str
    port: int


@attrs.frozen(repr=False, field_transformer=hide_fields)
class Prompt:
    """What a server says with 334.

    Args:
        text: what it says, for people: decoded, or as it came where a server forgot Base64.
        challenge: the decoded bytes; None where it is not Base64.
    """

    text: str
    challenge: bytes | None

    @classmethod
    def of(cls, said: str) -> "Prompt":
        """Read the text of a reply."""
        said = said.strip()
        try:
            challenge = b64decode(said + "=" * (-len(said) % 4), validate=True)
        except ValueError:
            return cls(said, None)
        try:
            return cls(challenge.decode("utf-8").strip("\0 \r\n"), challenge)
        except UnicodeDecodeError:
            return cls(said, challenge)

    @property
    def asks_for(self) -> Literal["name", "password"] | None:
        """What it asks for, where it says so; one that names both says nothing."""
        said = self.text.lower()
        name, password = _NAME.search(said), _PASSWORD.search(said)
        if bool(name) == bool(password):
            return None
        return "name" if name else "password"


class Mechanism(Protocol):
    """One login of one kind."""

    def begin(self) -> bytes | None:
        """Return what may go with the AUTH command itself; None where the server speaks first."""

    def answer(self, prompt: Prompt) -> bytes | None:
        """Return what answers a prompt; None ends the dialogue."""

    @property
    def notice(self) -> str:
        """Why the server refused, as it told by a prompt; empty where it did not."""


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class OneResponse:
    """PLAIN, XOAUTH2 and OAUTHBEARER: everything is said at once, with the command or after it.

    Args:
        response: all there is to say.
        last: what answers a prompt that tells why that was refused; None where the mechanism knows no such prompt.
    """

    response: bytes
    last: bytes | None = None
    notice: str = attrs.field(default="", init=False)
    _begun: bool = attrs.field(default=False, init=False)
    _answered: bool = attrs.field(default=False, init=False)

    def begin(self) -> bytes:
        """Return the response."""
        self._begun = True
        return self.response

    def answer(self, prompt: Prompt) -> bytes | None:
        """Return the response, also where a server wants it once more; after it what ends a failed login."""
        if prompt.asks_for is not None:
            return None
        unread = not self._begun or self.last is None or not prompt.text
        if unread and not self._answered:
            self._answered = True
            return self.response
        self.notice = _told_by(prompt.text)
        return self.last


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class NameAndPassword:
    """LOGIN: what each prompt asks for; where it does not say, first the name and then the password.

    The name never goes with the command: the server speaks first, and some that get a name ask for it all the same.
    """

    _left: dict[str, str]
    notice: str = attrs.field(default="", init=False)

    def begin(self) -> None:
        """Return nothing."""

    def answer(self, prompt: Prompt) -> bytes | None:
        """Return name or password, each once."""
        asked: str = prompt.asks_for or next(iter(self._left), "")
        given = self._left.pop(asked, None)
        return None if given is None else given.encode()


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class Digest:
    """CRAM-MD5 (RFC 2195): the challenge, signed with the password, which itself stays here."""

    _user: str
    _password: str
    notice: str = attrs.field(default="", init=False)
    _answered: bool = attrs.field(default=False, init=False)

    def begin(self) -> None:
        """Return nothing."""

    def answer(self, prompt: Prompt) -> bytes | None:
        """Return name and signature, once."""
        if self._answered or not prompt.challenge:
            return None
        self._answered = True
        return f"{self._user} {hmac.new(self._password.encode(), prompt.challenge, 'md5').hexdigest()}".encode()


def _plain(who: Identity) -> Mechanism:
    """RFC 4616."""
    return OneResponse(f"\0{who.user}\0{who.secret}".encode())


def _xoauth2(who: Identity) -> Mechanism:
    """Google's page *OAuth 2.0 Mechanism*; the reason of a refusal is answered with an empty line."""
    return OneResponse(f"user={who.user}\x01auth=Bearer {who.secret}\x01\x01".encode(), last=b"")


def _oauthbearer(who: Identity) -> Mechanism:
    """RFC 7628: in the name, comma and equals sign are escaped (RFC 5801); a refusal is answered with one byte."""
    name = who.user.replace("=", "=3D").replace(",", "=2C")
    where = f"host={who.host}\x01port={who.port}\x01"
    return OneResponse(f"n,a={name},\x01{where}auth=Bearer {who.secret}\x01\x01".encode(), last=b"\x01")


def _login(who: Identity) -> Mechanism:
    return NameAndPassword({"name": who.user, "password": who.secret})


def _cram_md5(who: Identity) -> Mechanism:
    return Digest(who.user, who.secret)


#: Kinds of login, in the order in which they are tried over TLS.
WITH_PASSWORD: dict[str, Callable[[Identity], Mechanism]] = {"plain": _plain, "login": _login, "cram-md5": _cram_md5}
WITH_TOKEN: dict[str, Callable[[Identity], Mechanism]] = {"xoauth2": _xoauth2, "oauthbearer": _oauthbearer}


def _told_by(text: str) -> str:
    """Return what a notice of refusal says: status and scope of its JSON (Google's page, RFC 7628 section 3.2.2)."""
    try:
        told: Any = json.loads(text)
    except (ValueError, RecursionError):
        return text[:_SHOWN]
    if not isinstance(told, Mapping):
        return ""
    known = ((name, told.get(name)) for name in ("status", "scope"))
    return ", ".join(f"{name} {value[:_SHOWN]}" for name, value in known if isinstance(value, str) and value)
