import pytest

import authmail
from authmail import ConfigError
from authmail_http.config import HttpConfig

URL = "https://mail.example.com/send"
SECRET = "whsec_c2FuZGJveC1zaWduaW5nLXNlY3JldC0xMjM0"


@pytest.fixture
def http():
    return authmail.get_connector("http-email")


def problems(**raw):
    with pytest.raises(ConfigError) as caught:
        HttpConfig.from_dict({"endpoint": URL} | raw)
    return [problem.path for problem in caught.value.problems]


#: Labels of captured cases that we refuse and the reference accepts, or the other way round.
#: Reasons: docs/differences-from-logto.md.
DIFFERENT = {'endpoint ""', 'endpoint "ftp://x"', "authorization null", "authorization CRLF"}


def test_logtos_configs_are_accepted_and_refused_alike(vectors, http):
    """The captured cases of the reference's guard, apart from documented differences."""
    cases = [case for case in vectors("logto/config_validation")["cases"] if case["connector"] == "http-email"]
    assert len(cases) >= 10
    for case in cases:
        if case["valid"] == (case["label"] not in DIFFERENT):
            http.validate_config(case["config"])
            continue
        with pytest.raises(ConfigError) as caught:
            http.validate_config(case["config"])
        expected = {"endpoint"} if "endpoint" in case["label"] else {issue["path"] for issue in case.get("issues", [])}
        assert {problem.path for problem in caught.value.problems} == (expected or {"authorization"}), case["label"]


@pytest.mark.parametrize(
    "endpoint",
    [
        "mail.example.com", "ftp://x.y", "//x.y", "https://", "https:///x", "https://x.y:99999", "https://x y/", "https://x.y/a\r\nHost: z",
        "https://x.y\\@z", "http://[::1", 5, {"env": "AUTHMAIL_X"},
    ],
)  # fmt: skip
def test_an_endpoint_is_a_url(endpoint):
    """Of http or https; what would be another request or none is refused by name."""
    assert problems(endpoint=endpoint) == ["endpoint"]


@pytest.mark.parametrize(
    ("endpoint", "url", "header"),
    [
        ("https://x.y/a?b=c%20d", "https://x.y/a?b=c%20d", "Bearer t"),
        ("https://us%20er:p%40ss@x.y:8443/a", "https://x.y:8443/a", "Basic dXMgZXI6cEBzcw=="),
        ("https://token@x.y", "https://x.y", "Basic dG9rZW46"),
        ("https://x.y/a#b", "https://x.y/a", "Bearer t"),
    ],
)
def test_path_and_query_are_kept_and_a_user_becomes_a_header(http, endpoint, url, header):
    """As with the reference; the password in a URL is warned of, and is in no repr."""
    config = HttpConfig.from_dict({"endpoint": endpoint, "authorization": "Bearer t"})
    assert (config.url, config.authorization_header) == (url, header)
    warned = [warning.path for warning in http.warnings({"endpoint": endpoint, "authorization": "Bearer t"})]
    assert warned == (["endpoint"] if "@" in endpoint else [])
    assert "p%40ss" not in repr(config)
    assert "Bearer t" not in repr(config)


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({"X Y": "z"}, "headers"), ({"X:": "z"}, "headers"), ({"": "z"}, "headers"), ({"X-Y": "a\r\nB: c"}, "headers"), ({"X-Y": "é"}, "headers"),
        ({"Host": "z"}, "headers"), ({"content-length": "1"}, "headers"), ({"AUTHORIZATION": "z"}, "headers"), ({"Idempotency-Key": "1"}, "headers"),
        ({"Webhook-Signature": "v1,x"}, "headers"), ({"X-Y": 5}, "headers.X-Y"), (["X-Y"], "headers"), ("X-Y: z", "headers"),
    ],
)  # fmt: skip
def test_headers_cannot_change_the_request(headers, path):
    """Neither smuggle a line nor replace what this connector sets."""
    assert problems(headers=headers) == [path]


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64", "whsec_abc", "hello world!", "whsec_é"])
def test_a_signing_secret_has_a_form(secret):
    """whsec_ and Base64; the problem does not show it."""
    with pytest.raises(ConfigError) as caught:
        HttpConfig.from_dict({"endpoint": URL, "signingSecret": secret})
    assert [problem.path for problem in caught.value.problems] == ["signingSecret"]
    assert secret.removeprefix("whsec_") == "" or secret not in str(caught.value)


def test_what_consoles_show_is_accepted():
    """With and without whsec_, and with the v1, that one auth server puts in front."""
    for secret in (SECRET, f"v1,{SECRET}", SECRET.removeprefix("whsec_")):
        assert HttpConfig.from_dict({"endpoint": URL, "signingSecret": secret}).signing_secret


def test_secrets_are_marked(http):
    """In the form, and for showing a config."""
    assert {item.key for item in http.form_items if item.is_confidential} == {"authorization", "headers", "signingSecret"}
    raw = {"endpoint": URL, "authorization": "Bearer t", "signingSecret": SECRET, "headers": {"X-Key": "k"}}
    shown = http.redacted(raw)
    assert shown == {"endpoint": URL, "authorization": "***", "signingSecret": "***", "headers": {"X-Key": "***"}}
    assert http.merge(raw, shown) == raw
    with pytest.raises(ConfigError, match="typed again"):
        http.merge(raw, shown | {"endpoint": "https://evil.example"})


@pytest.mark.parametrize(
    ("raw", "path", "says"),
    [
        ({}, "authorization", "anybody"),
        ({"endpoint": "http://x.y", "authorization": "t"}, "endpoint", "plain http"),
        ({"signingSecret": "whsec_c2hvcnQ="}, "signingSecret", "24 bytes"),
        ({"authorization": "t", "autorization": "t"}, "autorization", "did you mean authorization?"),
    ],
)
def test_doubtful_values_warn(http, raw, path, says):
    """With what to do."""
    found = http.warnings({"endpoint": URL} | raw)
    assert [warning.path for warning in found] == [path]
    assert says in f"{found[0].message} {found[0].hint}"
    assert http.warnings({"endpoint": URL, "authorization": "t", "headers": {"X-Y": "z"}}) == []
