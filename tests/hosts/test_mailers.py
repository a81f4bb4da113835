"""Django's MAILERS, which Django 6.1 brought: it needs Python 3.12, so another Python may run it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import django
import pytest

from .conftest import FIRST, SECOND

#: A Python with Django 6.1 and authmail, for machines where the tests run with an older one.
OTHER = os.environ.get("AUTHMAIL_DJANGO_6")
PYTHON = sys.executable if django.VERSION >= (6, 1) else OTHER


@pytest.mark.skipif(PYTHON is None, reason="Django 6.1 needs Python 3.12; AUTHMAIL_DJANGO_6 may name a Python that has it")
def test_each_mailer_has_a_config_of_its_own(settings, providers):
    """By alias and OPTIONS; what is mistyped or wrong is told by Django's own words, and by its checks; nothing warns."""
    script = Path(__file__).with_name("mailers.py")
    done = subprocess.run([PYTHON, script, json.dumps(settings)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["default"], said["second"], said["receipts"], said["alias"], said["is one"]) == (1, 1, [SECOND], "second", True)
    assert said["mistyped"] == "InvalidMailer: MAILERS['mistyped']: Unknown options 'confg'."
    assert said["refused"].startswith("MessageRejected")
    assert any("authmail.E001 MAILERS['wrong']['OPTIONS']['config']" in one for one in said["checks"])
    assert [providers.inbox.get(to=f"{name}@example.com").connector for name in ("first", "second")] == [FIRST, SECOND]
