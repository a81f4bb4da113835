"""Django: its mail goes out by authmail, with failover, limits, alerts and one clear answer per message.

In ``settings.py``, and nothing more::

    INSTALLED_APPS = [..., "authmail.hosts.django"]
    AUTHMAIL = BASE_DIR / "authmail.toml"  # or the same as a dict
    EMAIL_BACKEND = "authmail.hosts.django.EmailBackend"
    # From Django 6.1 on, in its place:
    MAILERS = {"default": {"BACKEND": "authmail.hosts.django.EmailBackend"}}

What only a rendered mail passes through has no usage type. A view of yours says what it means::

    authmail.hosts.django.post(Message(user.email, "SignIn", {"code": code, "locale": get_language()}))

Guide: docs/hosts/django.md.
"""

from authmail.hosts.django.backend import EmailBackend
from authmail.hosts.django.outboxes import delivery
from authmail.hosts.django.posting import post

__all__ = ["EmailBackend", "delivery", "post"]
