"""What an auth server wants to say: to whom, what for, with which values."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cached_property, wraps
from typing import Any, Self

import attrs

from authmail.mail.mailbox import Mailbox
from authmail.mail.vital import is_repeatable, vital_in
from authmail.outcomes import MessageRejected, Phase, Reason
from authmail.privacy import hide_fields, masked, raise_afresh
from authmail.words.text import say


class UsageType(StrEnum):
    """What a message is for: Logto's nine types, and ``Notice`` for information without code or link."""

    SIGN_IN = "SignIn"
    REGISTER = "Register"
    FORGOT_PASSWORD = "ForgotPassword"  # noqa: S105 (a message type)
    GENERIC = "Generic"
    ORGANIZATION_INVITATION = "OrganizationInvitation"
    USER_PERMISSION_VALIDATION = "UserPermissionValidation"
    BIND_NEW_IDENTIFIER = "BindNewIdentifier"
    MFA_VERIFICATION = "MfaVerification"
    BIND_MFA = "BindMfa"
    NOTICE = "Notice"


def _refuse(field: str, expected: str, value: object) -> MessageRejected:
    hint = say("{field} must be {expected}, got {kind}", field=field, expected=say(expected), kind=type(value).__name__)
    return MessageRejected(hint, reason=Reason.MESSAGE, phase=Phase.BEFORE)


def _is_text(_: object, field: "attrs.Attribute[Any]", value: object) -> None:
    if not isinstance(value, str):
        several = "; send one message to each recipient" if isinstance(value, list | tuple | set) else ""
        raise TypeError(f"Message.{field.name} is a text, not {type(value).__name__}{several}")


@attrs.frozen(repr=False, field_transformer=hide_fields)
class Message:
    """A message of an auth server, not yet rendered.

    Args:
        to: the recipient's address; checked when it is sent.
        type: a :class:`UsageType` or any other text.
        payload: the values for the template: ``code``, ``link``, ``locale`` and context such as ``organization``.
        ip: address of the client that asked for it, where the host knows it.
        idempotency_key: the same key means the same message; providers that know such keys drop the second.
        resend: send it even if the very same message went out just now: the person asked for it again.
    """

    to: str = attrs.field(validator=_is_text)
    type: str = attrs.field(validator=_is_text)
    payload: Mapping[str, Any] = attrs.field(factory=dict)
    ip: str | None = None
    idempotency_key: str | None = None
    resend: bool = False

    @classmethod
    @raise_afresh
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read Logto's JSON, ``{"to", "type", "payload", "ip"}``; other keys are ignored.

        Raises:
            MessageRejected: a key is missing or of the wrong kind; names the key, never the value.
        """
        if not isinstance(data, Mapping):
            raise _refuse("the message", "an object", data)
        for key in ("to", "type"):
            if not isinstance(data.get(key), str):
                raise _refuse(key, "a text", data.get(key))
        payload = data.get("payload")
        if not isinstance(payload, Mapping):
            raise _refuse("payload", "an object", payload)
        for key in ("code", "link", "locale"):
            if not isinstance(payload.get(key, ""), str):
                raise _refuse(f"payload.{key}", "a text", payload[key])
        for key in ("ip", "idempotencyKey"):
            if not isinstance(data.get(key), str | None):
                raise _refuse(key, "a text", data[key])
        if not isinstance(data.get("resend"), bool | None):
            raise _refuse("resend", "true or false", data["resend"])
        return cls(data["to"], data["type"], payload, data.get("ip"), data.get("idempotencyKey"), bool(data.get("resend")))

    def to_dict(self) -> dict[str, Any]:
        """Return Logto's JSON; what :meth:`from_dict` reads. It holds the code or link: mind where it goes."""
        data: dict[str, Any] = {"to": self.to, "type": str(self.type), "payload": dict(self.payload)}
        if self.ip is not None:
            data["ip"] = self.ip
        if self.idempotency_key is not None:
            data["idempotencyKey"] = self.idempotency_key
        if self.resend:
            data["resend"] = True
        return data

    @property
    def usage_type(self) -> str:
        """What it is for."""
        return str(self.type)

    @cached_property
    def address(self) -> str:
        """The recipient's address, without a name; the text as it is where it is no address."""
        try:
            return Mailbox.parse(self.to).address
        except ValueError:
            return str(self.to)

    @property
    def vital(self) -> tuple[str, ...]:
        """Its codes, links and tokens; see :mod:`authmail.mail.vital`."""
        return vital_in(self.payload)

    @property
    def repeatable(self) -> bool:
        """Whether a second mail is harmless: a code and no link. A second invitation is not."""
        return is_repeatable(self.payload)

    def __repr__(self) -> str:
        keys = ", ".join(str(key) for key in self.payload) if isinstance(self.payload, Mapping) else type(self.payload).__name__
        return f"Message(to={masked(self.to)!r}, type={str(self.type)!r}, payload=<{keys}>)"


def _with_hint(init: Callable[..., None]) -> Callable[..., None]:
    names = {field.name for field in attrs.fields(Message)}

    @wraps(init)
    def make(self: Message, *args: Any, **given: Any) -> None:
        for name in given:
            if name not in names:
                raise TypeError(f"Message has no {name!r}; values for the template go into its payload: payload={{{name!r}: …}}")
        init(self, *args, **given)

    return raise_afresh(make)


Message.__init__ = _with_hint(Message.__init__)  # type: ignore[method-assign]  # a misplaced value is told with its place
