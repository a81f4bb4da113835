"""Settings of the example: allauth with its API for apps, everything by code. Three lines are authmail's."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).parents[1]
SECRET_KEY = "an example signs nothing"  # noqa: S105 (as it says)
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "members.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "authmail.hosts.django",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", BASE_DIR / "db.sqlite3"),
        "OPTIONS": {"timeout": 60, "transaction_mode": "IMMEDIATE"},
    }
}
LANGUAGES = [("en", "English"), ("fr", "Français")]
USE_TZ = True
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]

ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = os.environ.get("RESET") == "code"  # else by link
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
if os.environ.get("RATE_LIMITS") == "off":  # for tests with many members of one address
    ACCOUNT_RATE_LIMITS = False
ALLAUTH_TRUSTED_PROXY_COUNT = 0
HEADLESS_ONLY = True
HEADLESS_FRONTEND_URLS = {
    "account_signup": "https://app.example.com/sign-up",
    "account_reset_password": "https://app.example.com/reset",
    "account_reset_password_from_key": "https://app.example.com/reset/{key}",
    "account_confirm_email": "https://app.example.com/confirm/{key}",
}

AUTHMAIL = os.environ.get("AUTHMAIL", "authmail.toml")
ACCOUNT_ADAPTER = "authmail.hosts.allauth.AccountAdapter"
