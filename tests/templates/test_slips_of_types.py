"""A usage type that is nearly a known one got another template than the one meant: somebody is told."""

import logging

from authmail import Message
from authmail.templates.composer import Composer
from authmail.templates.template import Template


async def test_a_near_type_is_warned_of_once(caplog):
    """The mail goes out as Generic; a type of the host's own is none of it."""
    composer = Composer((Template("Generic", "{{code}}", "{{code}}"),), None, None)
    with caplog.at_level(logging.WARNING, "authmail"):
        for usage_type in ("Sign-In-Typo", "Sign-In", "Sign-In", "WeeklyReport", "BindMfa"):
            await composer.compose(Message("zoe@example.com", usage_type, {"code": "1"}))
    lines = [record.getMessage() for record in caplog.records]
    assert [line for line in lines if "Sign-In " in line] == [
        "usage type Sign-In is not known and got the Generic mail; did you mean SignIn?"
    ]
    assert not [line for line in lines if "WeeklyReport" in line or "BindMfa" in line]
