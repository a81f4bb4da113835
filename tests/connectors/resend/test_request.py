import pytest

from authmail import Email
from authmail_resend.config import ResendConfig
from authmail_resend.request import send_email

RAW = {"apiKey": "re_123", "from": "Acme <no-reply@mail.example.com>"}


@pytest.fixture
def build():
    from authmail.config.settings import templates_elsewhere

    def request(email, **change):
        with templates_elsewhere(True):
            return send_email(email, ResendConfig.from_dict(RAW | change), key="k-1")

    return request


def test_a_mail_becomes_resends_json(build):
    """Both parts, one recipient, the key in a header, and nothing that the mail lacks."""
    request = build(Email("Zoë <zoe@example.com>", "Hi", html="<p>h</p>", text="t", text_is_own=False))
    assert request.url == "https://api.resend.com/emails"
    assert request.headers == {"Authorization": "Bearer re_123", "Idempotency-Key": "k-1"}
    assert request.json == {
        "from": "Acme <no-reply@mail.example.com>", "to": ["zoe@example.com"], "subject": "Hi", "html": "<p>h</p>", "text": "t",
    }  # fmt: skip
    assert "re_123" not in repr(request)


def test_every_setting_goes_where_it_belongs(build):
    """Reply address, tags and headers."""
    email = Email("a@b.c", "s", text="t", headers={"X-Entity-Ref-ID": "1"})
    sent = build(email, replyTo="Help <help@example.com>", tags={"app": "acme"}).json
    assert (sent["reply_to"], sent["tags"]) == ("Help <help@example.com>", [{"name": "app", "value": "acme"}])
    assert (sent["headers"], "html" in sent) == ({"X-Entity-Ref-ID": "1"}, False)


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ({}, "Acme <no-reply@mail.example.com>"),
        ({"from_name": "Shop"}, "Shop <no-reply@mail.example.com>"),
        ({"from_address": "x@mail.example.com"}, "Acme <x@mail.example.com>"),
        ({"from_name": "Acme, Inc.", "from_address": "x@mail.example.com"}, '"Acme, Inc." <x@mail.example.com>'),
    ],
)
def test_a_template_overrides_the_sender(build, sender, expected):
    """Name and address each by itself, and correctly quoted; the reply address whole."""
    sent = build(Email("a@b.c", "s", text="t", **sender, reply_to="own@example.com"), replyTo="config@example.com").json
    assert (sent["from"], sent["reply_to"]) == (expected, "own@example.com")
