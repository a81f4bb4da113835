"""One Django project for the tests in this process: a process has one. The examples run in processes of their own."""

import atexit
import shutil
import tempfile
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.http import JsonResponse
from django.urls import include, path
from django.utils.translation import get_language

from authmail import Message

urlpatterns = []
NAME = "authmail.hosts.django.EmailBackend"
MAILERS = {"default": {"BACKEND": NAME}, "admins": {"BACKEND": NAME, "OPTIONS": {"fail_silently": True}}}
BACKEND = {"MAILERS": MAILERS} if django.VERSION >= (6, 1) else {"EMAIL_BACKEND": NAME}
FOLDER = Path(tempfile.mkdtemp(prefix="authmail-django-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def prepare():
    """Set Django up and make its tables, once."""
    configure()
    if not (FOLDER / "db.sqlite3").exists():
        call_command("migrate", verbosity=0)
        connections.close_all()


def configure():
    """Set Django up, once: without it some of its modules cannot be imported."""
    if settings.configured:
        return
    settings.configure(
        SECRET_KEY="tests sign nothing",
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["testserver"],
        BASE_DIR=FOLDER,
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.messages", "django.contrib.sessions",
                        "allauth", "allauth.account", "allauth.headless", "allauth.mfa", "authmail.hosts.django"],
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.locale.LocaleMiddleware",
                    "django.contrib.auth.middleware.AuthenticationMiddleware",
                    "django.contrib.messages.middleware.MessageMiddleware", "allauth.account.middleware.AccountMiddleware"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "db.sqlite3"}},
        LANGUAGES=[("en", "English"), ("fr", "Français")],
        USE_TZ=True,
        **BACKEND,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
        ACCOUNT_ADAPTER="authmail.hosts.allauth.AccountAdapter",
        ACCOUNT_LOGIN_METHODS={"email"},
        ACCOUNT_SIGNUP_FIELDS=["email*", "password1*"],
        ACCOUNT_EMAIL_VERIFICATION="mandatory",
        ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED=True,
        ACCOUNT_LOGIN_BY_CODE_ENABLED=True,
        ACCOUNT_EMAIL_NOTIFICATIONS=True,
        ACCOUNT_EMAIL_SUBJECT_PREFIX="",
        ACCOUNT_RATE_LIMITS=False,
        ALLAUTH_TRUSTED_PROXY_COUNT=0,
        HEADLESS_ONLY=True,
        HEADLESS_FRONTEND_URLS={
            "account_signup": "https://app.example.com/sign-up",
            "account_reset_password": "https://app.example.com/reset",
            "account_reset_password_from_key": "https://app.example.com/reset/{key}",
            "account_confirm_email": "https://app.example.com/confirm/{key}",
        },
    )  # fmt: skip
    django.setup()
    urlpatterns.extend(
        [
            path("code", code),
            path("async/code", code_from_a_coroutine),
            path("_allauth/", include("allauth.headless.urls")),
            path("accounts/", include("allauth.urls")),
        ]
    )


def code(request):
    """A view that posts a message."""
    from authmail.hosts.django import post

    post(Message(request.GET["email"], "SignIn", {"code": "482913", "locale": get_language()}))
    return JsonResponse({})


async def code_from_a_coroutine(request):
    """The same, on an event loop."""
    return code(request)
