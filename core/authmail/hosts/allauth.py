"""django-allauth: every mail of its account, MFA and social apps goes out by authmail.

In ``settings.py``, besides allauth's own::

    INSTALLED_APPS = [..., "authmail.hosts.django"]
    AUTHMAIL = BASE_DIR / "authmail.toml"  # or the same as a dict
    ACCOUNT_ADAPTER = "authmail.hosts.allauth.AccountAdapter"

With an adapter of your own: ``class Adapter(AccountAdapterMixin, YourAdapter)``. Guide: docs/hosts/allauth.md.
"""

from datetime import datetime
from typing import Any, NamedTuple

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import PermissionDenied
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.views.decorators.debug import sensitive_variables

from authmail.hosts.django.mails import rendered
from authmail.hosts.django.outboxes import delivery
from authmail.hosts.django.posting import post
from authmail.hosts.django.wording import has_words
from authmail.mail.email import Mail
from authmail.mail.message import Message, UsageType

__all__ = ["AccountAdapter", "AccountAdapterMixin"]


class Kind(NamedTuple):
    """What a mail of allauth is: its type, and which keys of the context hold a code or a link; the first that is there counts."""

    usage_type: str
    code: str = "code"
    link: str = ""


#: By the prefix of allauth's templates. The same prefix has a code or a link, by allauth's settings. What is not here is news.
KINDS = {
    "account/email/email_confirmation_signup": Kind(UsageType.REGISTER, link="activate_url"),
    "account/email/login_code": Kind(UsageType.SIGN_IN),
    "account/email/password_reset_code": Kind(UsageType.FORGOT_PASSWORD),
    "account/email/password_reset_key": Kind(UsageType.FORGOT_PASSWORD, link="password_reset_url"),
    "account/email/email_confirmation": Kind(UsageType.BIND_NEW_IDENTIFIER, link="activate_url"),
}
# These are in allauth's context and said otherwise here, or nobody's business in a template: codes and keys among them.
_LEFT_OUT = frozenset(("request", "user", "current_site", "email", "code", "key", "uid", "activate_url"))


class AccountAdapterMixin:
    """For an account adapter: its mails are messages of authmail.

    A mail with a code or link has the usage type that it means, and is written by authmail's template where there is one for it;
    news (a changed password, a new factor) by a template named as the news: ``PasswordChanged``. Where authmail has no fitting
    template, the words are allauth's own, in all of its languages.

    The message is handed over, see :func:`authmail.hosts.django.post`: allauth's answer waits for no provider, no failure is a page
    of error 500, and neither tells who has an account.
    """

    # A report of an error shows no local variables of these: the context holds the code.
    @sensitive_variables()  # type: ignore[untyped-decorator]  # Django has no types
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Hand a mail of allauth over.

        Args:
            template_prefix: of allauth's templates, such as ``account/email/login_code``.
            email: the recipient.
            context: for the template.
        """
        post(self.authmail_mail(template_prefix, email, context))

    @sensitive_variables()  # type: ignore[untyped-decorator]  # the same
    def authmail_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> Mail:
        """Return the message of a mail; or the mail itself, where authmail has no words for it. For an adapter of your own to change.

        Args:
            template_prefix: as of :meth:`send_mail`.
            email: the recipient.
            context: for the template.
        """
        request = allauth_context.request
        kind = KINDS.get(template_prefix)
        ip = self._authmail_ip(request)
        message = Message(email, kind.usage_type if kind else event_of(template_prefix), _payload(kind, request, context), ip=ip)
        if has_words(delivery(), message, of_its_own=kind is None):
            return message
        whole = {"request": request, "email": email, "current_site": get_current_site(request), **context}
        mail = self.render_mail(template_prefix, email, whole)  # type: ignore[attr-defined]  # of the adapter beside
        return rendered(mail, usage_type=kind.usage_type if kind else UsageType.NOTICE, ip=ip)

    def _authmail_ip(self, request: Any) -> str | None:
        """Return the client's address as allauth knows it; None where it refuses to guess behind a proxy."""
        if request is None:
            return None
        try:
            found: str = self.get_client_ip(request)  # type: ignore[attr-defined]  # of the adapter beside
        except PermissionDenied:
            return None
        return found


class AccountAdapter(AccountAdapterMixin, DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """allauth's own adapter, whose mails go out by authmail: ``ACCOUNT_ADAPTER = "authmail.hosts.allauth.AccountAdapter"``."""


def event_of(template_prefix: str) -> str:
    """Return the usage type of news: ``mfa/email/totp_activated`` is ``TotpActivated``."""
    return "".join(word.capitalize() for word in template_prefix.rpartition("/")[2].split("_"))


@sensitive_variables()  # type: ignore[untyped-decorator]  # the same
def _payload(kind: Kind | None, request: Any, context: dict[str, Any]) -> dict[str, Any]:
    """Return the values for a template: what is plain of the context, and what authmail's templates know by other names."""
    site = get_current_site(request)
    payload = {key: value for key, value in context.items() if key not in _LEFT_OUT and _is_plain(value)}
    payload |= {key: str(value) for key, value in context.items() if isinstance(value, Promise) and key not in _LEFT_OUT}
    payload |= {key: value.isoformat(timespec="seconds") for key, value in context.items() if isinstance(value, datetime)}
    payload |= {"locale": get_language() or "", "application": {"name": site.name, "domain": site.domain}}
    if (user := context.get("user")) is not None:
        payload["user"] = {"id": str(user.pk), "username": user.get_username()}
    if kind is None:
        return payload
    if context.get(kind.code):
        return {**payload, "code": str(context[kind.code])}
    payload.pop(kind.link, None)
    return {**payload, "link": str(context[kind.link])} if context.get(kind.link) else payload


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)
