"""SuperTokens: the mails of its recipes through a delivery.

.. code-block:: python

    from authmail.hosts.supertokens import EmailService

    mail = EmailService("authmail.toml")  # or the same as a dict; one for all recipes
    emailpassword.init(email_delivery=EmailDeliveryConfig(mail))
    emailverification.init(mode="REQUIRED", email_delivery=EmailDeliveryConfig(mail))
    passwordless.init(ContactEmailOnlyConfig(), "USER_INPUT_CODE", email_delivery=EmailDeliveryConfig(mail))

Without a service SuperTokens posts addresses, codes and links to its vendor's cloud. It awaits the service before it answers; this one
hands over, so that no answer tells by its time or by an error who has an account.
Facts: https://supertokens.com/docs/platform-configuration/email-delivery and the source of supertokens-python 0.31.
"""

import os
from typing import Any

from supertokens_python.ingredients.emaildelivery.types import EmailDeliveryInterface
from supertokens_python.recipe.emailpassword.types import PasswordResetEmailTemplateVars
from supertokens_python.recipe.emailverification.types import VerificationEmailTemplateVars
from supertokens_python.recipe.passwordless.types import PasswordlessLoginEmailTemplateVars

from authmail.hosts.languages import languages_of
from authmail.hosts.outbox import Outbox, Source
from authmail.mail.message import Message, UsageType

__all__ = ["EmailService"]

_Mail = PasswordResetEmailTemplateVars | VerificationEmailTemplateVars | PasswordlessLoginEmailTemplateVars
_MILLISECONDS_A_MINUTE = 60_000


class EmailService(EmailDeliveryInterface[Any]):
    """An email delivery service for every recipe of SuperTokens that mails; returns at once, and raises nothing of a mail.

    Args:
        authmail: the path of an ``authmail.toml``, or the same as a dict.
        folder: where a relative path starts; the working directory by default.

    Attributes:
        outbox: what sends; it opens by itself at the first mail. ``with service.outbox:`` opens it with the application, and at its
            end waits for what is on its way.

    Raises:
        ConfigError: every problem of the config at once.
    """

    def __init__(self, authmail: Source = "authmail.toml", folder: str | os.PathLike[str] = ".") -> None:
        self.outbox = Outbox(authmail, folder)

    async def send_email(self, template_vars: _Mail, user_context: dict[str, Any]) -> None:
        """Hand a mail of a recipe over, as SuperTokens calls it.

        Args:
            template_vars: what the recipe wants to say.
            user_context: holds the request, where there is one.
        """
        to, type_, values = _said(template_vars)
        languages, client = _reader(user_context)
        self.outbox.put(Message(to, type_, {"uiLocales": languages, "tenant": template_vars.tenant_id, **values}, ip=client))


def _said(mail: _Mail) -> tuple[str, str, dict[str, Any]]:
    """Return recipient, usage type and payload of a recipe's mail."""
    if isinstance(mail, PasswordResetEmailTemplateVars):
        return mail.user.email, UsageType.FORGOT_PASSWORD, {"link": mail.password_reset_link}
    if isinstance(mail, VerificationEmailTemplateVars):
        return mail.user.email, UsageType.REGISTER, {"link": mail.email_verify_link}
    vital = {"code": mail.user_input_code, "link": mail.url_with_link_code}
    values = {name: value for name, value in vital.items() if value} | {"minutes": mail.code_life_time // _MILLISECONDS_A_MINUTE}
    return mail.email, UsageType.SIGN_IN if mail.is_first_factor else UsageType.MFA_VERIFICATION, values


def _reader(user_context: dict[str, Any]) -> tuple[str, str | None]:
    """Return the languages and the address of who asked, of the framework's request that SuperTokens wraps."""
    wrapped = user_context.get("_default", {}).get("request")
    if wrapped is None:
        return "", None
    inner = getattr(wrapped, "request", None)
    client = getattr(inner, "client", None)  # FastAPI's
    address = getattr(client, "host", None) or getattr(inner, "remote_addr", None)  # or Flask's
    return languages_of(wrapped.get_header("accept-language")), address
