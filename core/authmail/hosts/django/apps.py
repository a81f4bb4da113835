"""The application: system checks and the command ``manage.py authmail``."""

from django.apps import AppConfig
from django.core.checks import register

from authmail.hosts.django.checks import check_config


class AuthmailConfig(AppConfig):  # type: ignore[misc]  # Django has no types
    """``INSTALLED_APPS = ["authmail.hosts.django"]``."""

    name = "authmail.hosts.django"
    label = "authmail"
    verbose_name = "authmail"

    def ready(self) -> None:
        """Let ``manage.py check`` look at the config."""
        register(check_config)
