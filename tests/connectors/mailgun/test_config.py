import pytest

import authmail
from authmail import ConfigError, ProviderTemplate
from authmail_mailgun.config import MailgunConfig

TYPES = ("SignIn", "Register", "ForgotPassword", "Generic")
RAW = {
    "domain": "mg.example.com",
    "apiKey": "0123456789abcdef-01234567-89abcdef",
    "from": "Acme <no-reply@mg.example.com>",
    "templates": [{"usageType": one, "subject": "s {{code}}", "content": "<p>{{code}}</p>"} for one in TYPES],
}
LOGTO = {key: value for key, value in RAW.items() if key != "templates"} | {
    "deliveries": {"Generic": {"subject": "s {{code}}", "html": "<p>{{code}}</p>"}}
}


@pytest.fixture
def mailgun():
    return authmail.get_connector("mailgun-email")


@pytest.mark.parametrize("raw", [RAW, LOGTO])
def test_a_good_config_is_good(mailgun, raw):
    """With authmail's templates or Logto's deliveries, without a warning; it goes to the host of the US."""
    config = mailgun.validate_config(raw)
    assert config.messages_url == "https://api.mailgun.net/v3/mg.example.com/messages"
    assert mailgun.warnings(raw) == []


@pytest.mark.parametrize(
    ("change", "url"),
    [
        ({"region": "us"}, "https://api.mailgun.net"), ({"region": "eu"}, "https://api.eu.mailgun.net"), ({"region": None}, "https://api.mailgun.net"),
        ({"endpoint": "https://api.eu.mailgun.net"}, "https://api.eu.mailgun.net"), ({"endpoint": "http://127.0.0.1:8025/x/"}, "http://127.0.0.1:8025/x"),
    ],
)  # fmt: skip
def test_the_region_says_where(change, url):
    """Unless there is an endpoint, which is how Logto's configs name the region."""
    assert MailgunConfig.from_dict(RAW | change).url == url


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"apiKey": None}, ["apiKey"]), ({"apiKey": "key 1"}, ["apiKey"]), ({"apiKey": "é"}, ["apiKey"]), ({"domain": None}, ["domain"]),
        *(({"domain": text}, ["domain"]) for text in ("../../x", "mg.example.com/x?y", "mg", "mg..com", "-.example", "https://mg.example.com", "例え.jp", "a@b.c")),
        ({"domain": " mg.example.com"}, ["domain"]), ({"from": "Acme"}, ["from"]), ({"from": "a@b.co, c@d.co"}, ["from"]), ({"from": "zoë@mg.example.com"}, ["from"]),
        ({"region": "asia"}, ["region"]), ({"replyTo": "a@b.co, c@d.co"}, ["replyTo"]),
        ({"tags": "acme"}, ["tags"]), ({"tags": [" "]}, ["tags"]), ({"tags": ["é"]}, ["tags"]), ({"tags": ["x" * 129]}, ["tags"]), ({"tags": ["a", "a"]}, ["tags"]),
        ({"tags": list("abcdefghijk")}, ["tags"]), ({"endpoint": "ftp://x"}, ["endpoint"]), ({"templates": []}, ["templates"] * 4),
        ({"templates": None, "deliveries": {}}, ["templates"] * 4), ({"deliveries": {"SignIn": {"text": "t"}}}, ["deliveries.SignIn"]),
        ({"deliveries": {"SignIn": "x"}}, ["deliveries.SignIn"]), ({"deliveries": {"Sign\nIn": {"html": "h"}}}, ["deliveries"]),
        ({"deliveries": {"SignIn": {"template": "t" * 101}}}, ["deliveries.SignIn.template"]), ({"deliveries": {"SignIn": {"template": " t"}}}, ["deliveries.SignIn.template"]),
        ({"deliveries": {"SignIn": {"template": "t", "replyTo": "nobody"}}}, ["deliveries.SignIn"]),
        ({"deliveries": {"SignIn": {"template": "t", "variables": {"a": "x" * 17_000}}}}, ["deliveries.SignIn.variables.a"]),
        ({"deliveries": {"SignIn": {"template": "t", "variables": {"a": "x" * 9000, "b": "x" * 9000}}}}, ["deliveries.SignIn.variables"]),
        ({"deliveries": {name: {"html": "x" * 300_000} for name in TYPES}}, ["deliveries"]),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(change, paths):
    """With the field's name."""
    with pytest.raises(ConfigError) as caught:
        MailgunConfig.from_dict(RAW | change)
    assert [problem.path for problem in caught.value.problems] == paths


@pytest.mark.parametrize(
    ("raw", "change", "path", "says"),
    [
        (RAW, {"domain": "sandbox0a1b2c.mailgun.org", "from": "a@sandbox0a1b2c.mailgun.org"}, "domain", "of your own"),
        (RAW, {"from": "no-reply@other.example"}, "from", "DMARC"), (RAW, {"from": "no-reply@badmg.example.com"}, "from", "DMARC"),
        (RAW, {"apiKey": "pubkey-0123456789"}, "apiKey", "sending key"), (RAW, {"region": "eu", "endpoint": "https://proxy.example"}, "region", "remove"),
        (RAW, {"endpoint": "https://api.mailgun.net/v3"}, "endpoint", "leave it out"),
        (LOGTO, {"deliveries": {"Generic": {"html": "{{code}}"}}}, "deliveries.Generic", "spam"),
        (LOGTO, {"deliveries": {"Generic": {"html": "{{code}}", "template": "t"}}}, "deliveries.Generic", "remove"),
        (LOGTO, {"deliveries": {"Generic": {"html": "{{code}}", "subject": "s", "repplyTo": "a@b.co"}}}, "deliveries.Generic.repplyTo", "replyTo"),
    ],
)  # fmt: skip
def test_what_is_doubtful_warns(mailgun, raw, change, path, says):
    """A domain that reaches few, a sender of another one, a key that cannot send, what has no effect."""
    [warning] = mailgun.warnings(raw | change)
    assert (warning.path, says in warning.hint) == (path, True)
    for language in ("fr", "zh-CN"):
        assert warning.hint_in(language) != warning.hint


@pytest.mark.parametrize("sender", ["a@example.com", "a@mg.example.com", "A <a@login.mg.example.com>", "a@MG.Example.com"])
def test_addresses_around_the_domain_are_good(mailgun, sender):
    """DMARC takes a domain, those above and those below it for one."""
    assert mailgun.warnings(RAW | {"from": sender}) == []


def test_deliveries_become_templates():
    """Of authmail's where they have HTML, of Mailgun's where they name one; which wins, as with Logto."""
    written = {"subject": "s", "html": "<b>{{code}}</b>", "text": "t", "replyTo": "a@b.co"}
    config = MailgunConfig.from_dict(LOGTO | {"deliveries": {"SignIn": written, "Generic": {"template": "g", "html": "h"}}})
    (place, sign_in), (_, generic) = config.other_templates()
    assert (place, sign_in.subject, sign_in.content, sign_in.text) == ("deliveries.SignIn", "s", "<b>{{code}}</b>", "t")
    assert (sign_in.reply_to, generic) == ("a@b.co", ProviderTemplate("Generic", alias="g"))


def test_the_key_is_a_secret(mailgun):
    """In the form, in a config that is shown, and in a repr."""
    assert [item.key for item in mailgun.form_items if item.is_confidential] == ["apiKey"]
    shown = mailgun.redacted(LOGTO)
    assert shown == LOGTO | {"apiKey": "***"}
    assert RAW["apiKey"] not in repr(mailgun.validate_config(RAW))


def test_a_key_is_asked_for_again_where_it_would_travel_elsewhere(mailgun):
    """Region and endpoint are where it goes."""
    shown = mailgun.redacted(RAW)
    assert mailgun.merge(RAW, shown | {"domain": "other.example.com"})["apiKey"] == RAW["apiKey"]
    for change in ({"region": "eu"}, {"endpoint": "https://proxy.example"}):
        with pytest.raises(ConfigError):
            mailgun.validate_config(mailgun.merge(RAW, shown | change))


def test_the_form_shows_the_common_settings_first(mailgun):
    """Those that few need are in a group of their own, and regions have words in the reader's language."""
    items = {item.key: item for item in mailgun.form_items}
    assert [key for key, item in items.items() if item.group == "more"] == ["replyTo", "tags", "deliveries"]
    assert [item["title"] for item in items["region"].select_items] == ["United States", "European Union"]
