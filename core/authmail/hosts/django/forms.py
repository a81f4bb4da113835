"""Django's own password reset, said as what it is: ``PasswordResetView.as_view(form_class=PasswordResetForm)``."""

from typing import Any

from django.contrib.auth import forms
from django.core.mail import EmailMultiAlternatives
from django.template import loader
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language

from authmail.hosts.django.mails import rendered
from authmail.hosts.django.outboxes import delivery
from authmail.hosts.django.posting import post
from authmail.hosts.django.wording import has_words
from authmail.mail.message import Message, UsageType

__all__ = ["PasswordResetForm"]


class PasswordResetForm(forms.PasswordResetForm):  # type: ignore[misc]  # Django has no types
    """Mails a link by authmail's template for ``ForgotPassword``, in the reader's language; else what Django renders.

    Django mails in the middle of its answer, and only where there is an account. This form hands the message over, see
    :func:`authmail.hosts.django.post`: the answer and its time are the same for everybody.
    """

    def send_mail(  # noqa: D102 (Django's)
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        message = _message(to_email, context)
        if message is not None and has_words(delivery(), message):
            post(message)
            return
        subject = "".join(loader.render_to_string(subject_template_name, context).splitlines())
        mail = EmailMultiAlternatives(subject, loader.render_to_string(email_template_name, context), from_email, [to_email])
        if html_email_template_name is not None:
            mail.attach_alternative(loader.render_to_string(html_email_template_name, context), "text/html")
        post(rendered(mail, usage_type=UsageType.FORGOT_PASSWORD))


def _message(to: str, context: dict[str, Any]) -> Message | None:
    """Return the message of a reset; None where the page behind the link has another name than Django's own."""
    try:
        path = reverse("password_reset_confirm", kwargs={"uidb64": context["uid"], "token": context["token"]})
    except NoReverseMatch:
        return None
    payload = {
        "link": f"{context['protocol']}://{context['domain']}{path}",
        "locale": get_language() or "",
        "application": {"name": str(context["site_name"])},
        "user": {"id": str(context["user"].pk), "username": context["user"].get_username()},
    }
    return Message(to, UsageType.FORGOT_PASSWORD, payload)
