"""Django 6.1 and its MAILERS, run by test_mailers.py under a Python that has it. Its argument is the config as JSON; it prints as JSON."""

import json
import sys
import warnings

import django
from django.conf import settings

warnings.simplefilter("error")
config = json.loads(sys.argv[1])
BACKEND = "authmail.hosts.django.EmailBackend"
other = {**config, "senders": {"only": config["senders"]["spare"]}}
settings.configure(
    SECRET_KEY="tests sign nothing",
    INSTALLED_APPS=["authmail.hosts.django"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    AUTHMAIL=config,
    MAILERS={
        "default": {"BACKEND": BACKEND},
        "second": {"BACKEND": BACKEND, "OPTIONS": {"config": other}},
        "mistyped": {"BACKEND": BACKEND, "OPTIONS": {"confg": other}},
        "wrong": {"BACKEND": BACKEND, "OPTIONS": {"config": {"senders": {}}}},
    },
)
django.setup()

from django.core import checks, mail  # noqa: E402 (settings come first)

from authmail.hosts.django import delivery  # noqa: E402


def said(call):
    """Return what a call raises, in words."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 (the test judges it)
        return f"{type(error).__name__}: {error}"
    return ""


typed = mail.EmailMessage("Hello", "by the second", to=["second@example.com"])
sys.stdout.write(
    json.dumps(
        {
            "default": mail.send_mail("Hello", "by the first", None, ["first@example.com"]),
            "second": typed.send(using="second"),
            "receipts": [one.connector for one in typed.authmail_receipts.values()],
            "alias": mail.mailers["second"].alias,
            "is one": mail.mailers["second"] is not mail.mailers["second"] and delivery(other) is delivery(other),
            "mistyped": said(lambda: mail.mailers["mistyped"]),
            "refused": said(lambda: mail.EmailMessage("Hello", "text", to=["no address"]).send()),
            "checks": [f"{one.id} {one.msg}" for one in checks.run_checks()],
        }
    )
)
