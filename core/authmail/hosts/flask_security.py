"""Flask-Security: every mail of it through a delivery.

.. code-block:: python

    from authmail.hosts.flask_security import MailUtil

    app.config["AUTHMAIL"] = "authmail.toml"  # or the same as a dict; beside the application
    security = Security(app, user_datastore, mail_util_cls=MailUtil)

Flask-Security mails before it answers; these mails are handed over, so that no answer tells by its time or by an error who has an
account. Facts: https://flask-security.readthedocs.io/en/stable/customizing.html#emails and the source of 5.9.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, ClassVar

import flask_security
from flask import Flask, current_app, has_request_context, request

from authmail.hosts.languages import languages_of
from authmail.hosts.outbox import Outbox
from authmail.mail.email import Email, Mail
from authmail.mail.message import Message, UsageType

__all__ = ["MailUtil"]

# Usage type and payload of a mail.
_Said = tuple[str, dict[str, Any]]


def _link(type: str, name: str) -> Callable[[str, Mapping[str, Any]], _Said]:  # noqa: A002 (the contract's word)
    """Return what reads a mail with a link; a notice where it has none."""

    def read(event: str, context: Mapping[str, Any]) -> _Said:
        return (type, {"link": context[name]}) if context.get(name) else _notice(event, context)

    return read


def _code(event: str, context: Mapping[str, Any]) -> _Said:  # noqa: ARG001 (as the others)
    return UsageType.MFA_VERIFICATION, {"code": context["token"]}


def _code_or_setup(event: str, context: Mapping[str, Any]) -> _Said:  # noqa: ARG001 (as the others)
    """One template serves sign-in, where a link goes along, and setting it up, where none does."""
    code = {"code": context["login_token"]}
    if context.get("login_link") is None:
        return UsageType.BIND_MFA, code
    return UsageType.SIGN_IN, {**code, "link": context["login_link"]}


def _notice(event: str, context: Mapping[str, Any]) -> _Said:
    links = [context[name] for name in ("reset_link", "recovery_link", "confirmation_link") if context.get(name)]
    return UsageType.NOTICE, {"event": event, "url": links[0] if links else ""}


class MailUtil(flask_security.MailUtil):
    """Hands every mail of Flask-Security over; give it as ``mail_util_cls``.

    What it sends by is ``app.extensions["authmail"]``: one for an application and process, which opens by itself at the first mail.
    A mail of a template that is not in :attr:`mails`, one of your own, goes out as Flask-Security rendered it.

    Attributes:
        mails: the last part of a template's path → what the mail is, read of its name and its context.

    Raises:
        ConfigError: every problem of ``app.config["AUTHMAIL"]``, where the application is made.
    """

    mails: ClassVar[Mapping[str, Callable[[str, Mapping[str, Any]], _Said]]] = {
        "welcome": _link(UsageType.REGISTER, "confirmation_link"),
        "confirmation_instructions": _link(UsageType.REGISTER, "confirmation_link"),
        "login_instructions": _link(UsageType.SIGN_IN, "login_link"),
        "reset_instructions": _link(UsageType.FORGOT_PASSWORD, "reset_link"),
        "us_instructions": _code_or_setup,
        "two_factor_instructions": _code,
        "change_email_instructions": _link(UsageType.BIND_NEW_IDENTIFIER, "link"),
        "change_notice": _notice,
        "change_username_notice": _notice,
        "reset_notice": _notice,
        "two_factor_rescue": _notice,
        "username_recovery": _notice,
        "welcome_existing": _notice,
        "welcome_existing_username": _notice,
    }

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        app.extensions["authmail"] = Outbox(app.config.get("AUTHMAIL", "authmail.toml"), app.root_path)

    def send_mail(
        self,
        template: str,
        subject: str,
        recipient: str | tuple[str, str],
        sender: str | tuple[str, str],  # noqa: ARG002 (the delivery's own sends)
        body: str | None,
        html: str | None,
        **kwargs: Any,
    ) -> None:
        """Hand a mail over, as Flask-Security calls it; waits for nothing, and raises nothing of it."""
        to = recipient if isinstance(recipient, str) else recipient[1]
        event = template.rpartition("/")[2]
        mail: Mail = Email(to=to, subject=str(subject), html=html, text=body)
        if event in self.mails:
            type_, values = self.mails[event](event, kwargs)
            own = {name: kwargs[name] for name in ("within", "username") if kwargs.get(name)}
            client = request.remote_addr if has_request_context() else None
            mail = Message(to, type_, {"uiLocales": self.languages(), **own, **values}, ip=client)
        outbox: Outbox = current_app.extensions["authmail"]
        outbox.put(mail)

    def languages(self) -> str:
        """Return the reader's languages, best first, a blank between: Flask-Babel's, where it is used, then the browser's."""
        chosen = []
        if "babel" in current_app.extensions:
            chosen = [str(import_module("flask_babel").get_locale() or "").replace("_", "-")]
        if has_request_context():
            chosen.append(languages_of(request.headers.get("Accept-Language")))
        return " ".join(filter(None, chosen))
