"""Flask-Security, from its forms to the inbox: sign-up, sign-in by code, reset, a change of address, and notices.

In one terminal `authmail sandbox`, in another `flask --app docs/examples/flask_security/app run`.
"""

import os
from pathlib import Path
from typing import Any

from flask import Flask
from flask_security import RoleMixin, Security, UserDatastore, UserMixin

from authmail.hosts.flask_security import MailUtil


class User(UserMixin):
    """An account; in a database of yours it has these columns."""

    id = 0
    email = fs_uniquifier = ""
    password = username = confirmed_at = us_phone_number = us_totp_secrets = None
    active = True

    def __init__(self, **values: Any) -> None:
        self.roles: list[RoleMixin] = []
        self.__dict__ |= values


class Users(UserDatastore):
    """Accounts in this process's memory; yours are in a database, with a datastore of Flask-Security."""

    def __init__(self) -> None:
        super().__init__(User, RoleMixin)
        self._users: list[User] = []

    def find_user(self, case_insensitive: bool = False, **kwargs: Any) -> User | None:  # noqa: ARG002 (Flask-Security's call)
        """Return the account that has these values."""
        wanted = {(name, str(value).lower()) for name, value in kwargs.items()}
        return next(
            (user for user in self._users if wanted <= {(name, str(getattr(user, name)).lower()) for name, _ in wanted}), None
        )

    def create_user(self, **kwargs: Any) -> UserMixin:
        """Add an account, which may sign in by a code from the first day."""
        user = super().create_user(**kwargs)
        self.us_setup_email(user)
        return user

    def put(self, model: User) -> User:
        """Keep an account."""
        if model not in self._users:
            model.id = len(self._users) + 1
            self._users.append(model)
        return model

    def commit(self) -> None:
        """Nothing: memory is at once as it is changed."""


def create_app(**config: Any) -> Flask:
    """Return the application."""
    app = Flask(__name__)
    app.config.update(
        AUTHMAIL=os.environ.get("AUTHMAIL", Path(__file__).with_name("authmail.toml")),
        SECRET_KEY="an example signs its tokens with this text",  # noqa: S106 (as it says; yours comes from where you keep secrets)
        SECURITY_PASSWORD_SALT="146585145368132386173505678016728509634",  # noqa: S106 (the same)
        SECURITY_TOTP_SECRETS={"1": "TjQ9Qa31VOrfEzuPy4VHQWPCTmRzCnFzMKLxXYiZu9B"},
        # What tokens are bound to, hashed. The default takes half a second, which only a known address would take.
        SECURITY_HASHING_SCHEMES=["hex_sha256"],
        SECURITY_DEPRECATED_HASHING_SCHEMES=[],
        SECURITY_TOTP_ISSUER="example",
        SECURITY_REGISTERABLE=True,
        SECURITY_CONFIRMABLE=True,
        SECURITY_RECOVERABLE=True,
        SECURITY_CHANGEABLE=True,
        SECURITY_CHANGE_EMAIL=True,
        SECURITY_UNIFIED_SIGNIN=True,
        SECURITY_US_ENABLED_METHODS=["email"],
        SECURITY_PASSWORD_CONFIRM_REQUIRED=False,
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},  # no question to DNS about addresses that are made up
        SECURITY_RETURN_GENERIC_RESPONSES=True,  # the same answers, whoever has an account
        SECURITY_USE_REGISTER_V2=True,
        WTF_CSRF_ENABLED=False,  # the example is called with JSON by curl; a form of yours keeps its protection
    )
    app.config.update(config)
    users = Users()
    app.extensions["users"] = users
    Security(app, users, mail_util_cls=MailUtil)
    return app


app = create_app()
