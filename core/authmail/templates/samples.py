"""A sample payload per usage type, and starter templates, for tests, previews and new configs."""

from functools import lru_cache
from importlib.resources import files
from typing import Any

from authmail.mail.message import UsageType
from authmail.templates.folder import templates_in
from authmail.templates.template import Template

_APPLICATION = {"id": "app-1", "name": "Sample App", "displayName": "Sample App", "branding": {}}
_ORGANIZATION = {"id": "org-1", "name": "Sample Organization", "branding": {}}
_PERSON: dict[str, Any] = {
    "id": "user-1",
    "name": "Sam Sample",
    "username": "sam",
    "primaryEmail": "sam@example.com",
    "primaryPhone": None,
    "avatar": None,
    "profile": {},
}
_CODE = {"code": "000000"}
_SIGN_IN = _CODE | {"application": _APPLICATION, "organization": _ORGANIZATION}
_ACCOUNT = _CODE | {"application": _APPLICATION, "user": _PERSON}

#: What Logto's flows put into a payload, by usage type (its documentation of email template variables).
_PAYLOADS: dict[str, dict[str, Any]] = {
    UsageType.SIGN_IN: _SIGN_IN,
    UsageType.REGISTER: _SIGN_IN,
    UsageType.FORGOT_PASSWORD: _SIGN_IN,
    UsageType.GENERIC: _CODE,
    UsageType.ORGANIZATION_INVITATION: {
        "link": "https://example.com/invitation",
        "organization": _ORGANIZATION,
        "inviter": _PERSON,
    },
    UsageType.USER_PERMISSION_VALIDATION: _ACCOUNT,
    UsageType.BIND_NEW_IDENTIFIER: _ACCOUNT,
    UsageType.MFA_VERIFICATION: _SIGN_IN,
    UsageType.BIND_MFA: _SIGN_IN | {"user": _PERSON},
    UsageType.NOTICE: {"application": _APPLICATION, "organization": _ORGANIZATION, "user": _PERSON},
}

#: The nine types that Logto sends.
LOGTO_TYPES = tuple(usage_type for usage_type in UsageType if usage_type is not UsageType.NOTICE)

#: The folder of the starter templates, ``<language>/<UsageType>.html``.
STARTER = files("authmail.templates") / "starter"


def sample_payload(usage_type: str, locale: str | None = None) -> dict[str, Any]:
    """Return the documented payload of a usage type with made-up values, code ``000000``; Generic's for unknown types."""
    payload = _PAYLOADS.get(usage_type, _CODE)
    return payload | ({"locale": locale} if locale else {})


@lru_cache(maxsize=1)
def starter_templates() -> tuple[Template, ...]:
    """Return the templates that ship with authmail: every usage type in English, French and Simplified Chinese."""
    return templates_in(STARTER)
