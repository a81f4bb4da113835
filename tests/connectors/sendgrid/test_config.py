import pytest

import authmail
from authmail import ConfigError
from authmail_sendgrid import SendGridConfig

RAW = {
    "apiKey": "SG.123",
    "fromEmail": "no-reply@mail.example.com",
    "fromName": "Acme",
    "templates": [
        {"usageType": usage_type, "type": "text/html", "subject": "s {{code}}", "content": "<p>{{code}}</p>"}
        for usage_type in ("SignIn", "Register", "ForgotPassword", "Generic")
    ],
}


@pytest.fixture
def sendgrid():
    return authmail.get_connector("sendgrid-mail")


def test_a_config_of_logto_is_good(sendgrid):
    """It is accepted, with no warning, and goes to the public host."""
    config = sendgrid.validate_config(RAW)
    assert (config.url, str(config.sender)) == ("https://api.sendgrid.com", "Acme <no-reply@mail.example.com>")
    assert sendgrid.warnings(RAW) == []


@pytest.mark.parametrize(
    ("change", "url"),
    [
        ({"region": "global"}, "https://api.sendgrid.com"), ({"region": "eu"}, "https://api.eu.sendgrid.com"), ({"region": None}, "https://api.sendgrid.com"),
        ({"region": "eu", "endpoint": "http://127.0.0.1:8025/x/"}, "http://127.0.0.1:8025/x"),
    ],
)  # fmt: skip
def test_the_region_says_where(change, url):
    """Unless there is an endpoint."""
    assert SendGridConfig.from_dict(RAW | change).url == url


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"apiKey": None}, ["apiKey"]), ({"apiKey": "SG.1\r\nX: y"}, ["apiKey"]), ({"apiKey": "SG. 1"}, ["apiKey"]), ({"apiKey": "é"}, ["apiKey"]),
        ({"fromEmail": "Acme"}, ["fromEmail"]), ({"fromEmail": "a@b.c, d@e.f"}, ["fromEmail"]), ({"fromEmail": "A <a@b.c>"}, ["fromEmail"]),
        ({"fromName": "a\nb"}, ["fromName"]), ({"replyTo": "a@b.c, d@e.f"}, ["replyTo"]),
        ({"region": "us"}, ["region"]), ({"region": "EU"}, ["region"]),
        ({"categories": "acme"}, ["categories"]), ({"categories": [5]}, ["categories[0]"]), ({"categories": [" "]}, ["categories"]),
        ({"categories": ["a", "a"]}, ["categories"]), ({"categories": ["x" * 256]}, ["categories"]), ({"categories": list("abcdefghijk")}, ["categories"]),
        ({"bypassListManagement": "yes"}, ["bypassListManagement"]),
        ({"endpoint": "ftp://x"}, ["endpoint"]), ({"templates": []}, ["templates"] * 4),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(change, paths):
    """With the field's name."""
    with pytest.raises(ConfigError) as caught:
        SendGridConfig.from_dict(RAW | change)
    assert [problem.path for problem in caught.value.problems] == paths


def test_the_most_and_longest_categories_are_taken():
    """Ten, of 255 characters."""
    categories = [f"{number}".ljust(255, "x") for number in range(10)]
    assert SendGridConfig.from_dict(RAW | {"categories": categories}).categories == tuple(categories)


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        ({"apiKey": "re_123"}, "apiKey", "SG."),
        ({"region": "eu", "endpoint": "https://proxy.example"}, "region", "remove"),
        ({"bypassListManagement": True}, "bypassListManagement", "complaints"),
    ],
)
def test_what_is_doubtful_warns(sendgrid, change, path, says):
    """A key of somebody else, a region without effect, mail to people who complained."""
    [warning] = sendgrid.warnings(RAW | change)
    assert (warning.path, says in warning.hint) == (path, True)
    for language in ("fr", "zh-CN"):
        assert warning.hint_in(language) != warning.hint


def test_the_key_is_a_secret(sendgrid):
    """In the form, in a config that is shown, and in a repr."""
    assert [item.key for item in sendgrid.form_items if item.is_confidential] == ["apiKey"]
    assert sendgrid.redacted(RAW)["apiKey"] == "***"
    assert "SG.123" not in repr(sendgrid.validate_config(RAW))


def test_a_key_is_asked_for_again_where_it_would_travel_elsewhere(sendgrid):
    """Region and endpoint are where it goes."""
    shown = sendgrid.redacted(RAW)
    assert sendgrid.merge(RAW, shown | {"fromName": "Other"})["apiKey"] == "SG.123"
    for change in ({"region": "eu"}, {"endpoint": "https://proxy.example"}):
        with pytest.raises(ConfigError):
            sendgrid.validate_config(sendgrid.merge(RAW, shown | change))


def test_the_form_shows_the_common_settings_first(sendgrid):
    """Those that few need are in a group of their own, and regions have words in the reader's language."""
    items = {item.key: item for item in sendgrid.form_items}
    assert [key for key, item in items.items() if item.group == "more"] == ["replyTo", "categories", "bypassListManagement"]
    assert [item["title"] for item in items["region"].select_items] == ["Global", "European Union"]
