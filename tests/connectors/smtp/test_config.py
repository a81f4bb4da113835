import pytest

from authmail import ConfigError
from authmail_smtp.config import SMTPConfig

FULL = {
    "secure": False, "ignoreTLS": False, "requireTLS": True, "tls": {"servername": "mx.example.com", "minVersion": "TLSv1.3"},
    "connectionTimeout": 5000, "greetingTimeout": 5000, "socketTimeout": 5000, "dnsTimeout": 5000, "customHeaders": {"X-A": ["1", "2"], "X-B": "3"},
    "name": "app.example.com", "localAddress": "127.0.0.1", "servername": "mx.example.com", "replyTo": "Help <help@example.com>", "logger": False,
    "debug": False, "disableFileAccess": True, "disableUrlAccess": True,
}  # fmt: skip


@pytest.fixture
def raw(raw):
    return raw | {"host": "smtp.example.com", "templates": [
        {"usageType": name, "contentType": "text/html", "subject": "{{code}}", "content": "<p>{{code}}</p>"}
        for name in ("SignIn", "Register", "ForgotPassword", "Generic")
    ]}  # fmt: skip


def problems(raw, **change):
    with pytest.raises(ConfigError) as caught:
        SMTPConfig.from_dict(raw | change)
    return [problem.path for problem in caught.value.problems]


def warned(smtp, raw, **change):
    return {warning.path: f"{warning.message}; {warning.hint}" for warning in smtp.warnings(raw | change)}


#: Where the reference's guard lets pass what cannot work, or refuses what is the same as leaving it out.
STRICTER = {
    "port negative": "port",
    "connectionTimeout negative": "connectionTimeout",
    "host empty": "host",
}
MORE_LENIENT = {"connectionTimeout null"}


def test_logtos_configs_are_accepted_and_refused_alike(vectors, smtp):
    """The captured cases of the reference's guard; where ours differs it says so in docs/differences-from-logto.md."""
    cases = [case for case in vectors("logto/config_validation")["cases"] if case["connector"] == "smtp"]
    assert len(cases) >= 35
    for case in cases:
        label = case["label"]
        if (case["valid"] and label not in STRICTER) or label in MORE_LENIENT or "contentType missing" in label:
            smtp.validate_config(case["config"])
            continue
        with pytest.raises(ConfigError) as caught:
            smtp.validate_config(case["config"])
        roots = {STRICTER[label]} if label in STRICTER else {issue["path"].partition(".")[0] for issue in case["issues"]}
        assert {problem.path.partition("[")[0].partition(".")[0] for problem in caught.value.problems} == roots, label


def test_five_settings_suffice(raw):
    """Host, port, user, password, sender."""
    config = SMTPConfig.from_dict(raw)
    assert (config.host, config.port, config.auth.user, config.sender.address) == (
        "smtp.example.com",
        587,
        "sandbox",
        "noreply@example.com",
    )
    assert "sandbox-password" not in repr(config)


def test_every_key_of_the_reference_is_taken(smtp, raw):
    """None of them is unknown, and a config with all of them has no warning."""
    config = smtp.validate_config(raw | FULL)
    assert (config.certificate_name, config.require_tls, config.name) == ("mx.example.com", True, "app.example.com")
    assert warned(smtp, raw, **FULL) == {}


@pytest.mark.parametrize(
    ("auth", "oauth"),
    [
        ({}, False), ({"user": "", "pass": ""}, False), ({"type": "Login", "user": "u", "pass": "p"}, False), ({"user": "u", "accessToken": "t"}, True),
        ({"type": "OAuth2", "user": "u", "clientId": "c", "clientSecret": "s", "refreshToken": "r", "expires": 1}, True),
        ({"type": "oauth2", "user": "u", "serviceClient": "c", "privateKey": "k"}, True),
        ({"type": "oauth2", "user": "u", "serviceClient": "c", "privateKey": {"key": "k", "passphrase": "p"}}, True),
    ],
)  # fmt: skip
def test_the_three_forms_of_a_login(smtp, raw, auth, oauth):
    """And none at all: a relay."""
    config = smtp.validate_config(raw | {"auth": auth})
    assert config.auth.is_oauth is oauth
    assert "privateKey" not in auth or config.auth.private_key.reveal() == "k"


def test_secrets_of_a_login_are_hidden_and_kept(smtp, raw):
    """Whatever its form; a new host asks for them again."""
    stored = raw | {
        "auth": {
            "user": "u",
            "pass": "hunter22",
            "privateKey": {"key": "hunter33", "passphrase": "hunter44"},
            "accessToken": "hunter55",
        }
    }
    shown = smtp.redacted(stored)
    assert "hunter" not in str(shown)
    assert smtp.merge(stored, shown) == stored
    for change in ({"host": "evil.example"}, {"port": 26}):
        with pytest.raises(ConfigError, match="must be typed again"):
            smtp.merge(stored, shown | change)
    with pytest.raises(ConfigError, match="must be typed again"):
        smtp.merge(stored, shown | {"auth": shown["auth"] | {"accessUrl": "https://evil.example/"}})


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"host": "https://smtp.example.com"}, "host"), ({"host": "smtp.example.com:587"}, "host"), ({"host": "a b"}, "host"), ({"host": "a\r\nb"}, "host"),
        ({"port": 0}, "port"), ({"port": 65536}, "port"), ({"port": 25.5}, "port"), ({"port": True}, "port"), ({"port": "587"}, "port"),
        ({"fromEmail": "nobody"}, "fromEmail"), ({"fromEmail": "a@b.c, d@e.f"}, "fromEmail"), ({"replyTo": "x\r\nBcc: y@z"}, "replyTo"),
        ({"auth": None}, "auth"), ({"auth": "u:p"}, "auth"), ({"auth": {"type": "plain"}}, "auth.type"), ({"auth": {"type": "oauth2"}}, "auth.user"),
        ({"auth": {"user": "a\nb"}}, "auth.user"), ({"auth": {"accessUrl": "ftp://x"}}, "auth.accessUrl"), ({"auth": {"user": 5}}, "auth.user"),
        ({"secure": "true"}, "secure"), ({"tls": "x"}, "tls"), ({"tls": {"ca": 5}}, "tls.ca"), ({"tls": {"minVersion": "SSLv3"}}, "tls.minVersion"),
        ({"name": "a b"}, "name"), ({"name": "a\r\nMAIL"}, "name"), ({"localAddress": "eth0"}, "localAddress"), ({"servername": "a/b"}, "servername"),
        ({"socketTimeout": -1}, "socketTimeout"), ({"customHeaders": {"a b": "x"}}, "customHeaders"), ({"customHeaders": {"X\r\nBcc": "x"}}, "customHeaders"),
        ({"customHeaders": {"X-A": 5}}, "customHeaders.X-A"), ({"customHeaders": {"X-A": ["a", None]}}, "customHeaders.X-A"), ({"maxConnections": 0}, "maxConnections"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(raw, change, path):
    """With the field's name."""
    assert problems(raw, **change) == [path]


@pytest.mark.parametrize("host", ["smtp.example.com", "localhost", "::1", "127.0.0.1", "smtp_relay.internal", "bücher.example"])
def test_hosts(raw, host):
    """Names and addresses."""
    assert SMTPConfig.from_dict(raw | {"host": host}).host == host


def test_tls_from_the_first_byte_by_port_or_setting(raw):
    """465 without a word about it; any port with one."""
    assert SMTPConfig.from_dict(raw | {"port": 465}).implicit_tls
    assert not SMTPConfig.from_dict(raw).implicit_tls
    assert SMTPConfig.from_dict(raw | {"secure": True}).implicit_tls


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        ({"port": 465, "secure": False}, "secure", "465 expects TLS"),
        ({"secure": True}, "secure", "587 begins without TLS"),
        ({"port": 25, "secure": True}, "secure", "25 begins without TLS"),
        ({"ignoreTLS": True, "requireTLS": True}, "ignoreTLS", "contradicts"),
        ({"ignoreTLS": True}, "ignoreTLS", "in clear"),
        ({"tls": {"rejectUnauthorized": False}}, "tls.rejectUnauthorized", "egress"),
        ({"tls": {"minVersion": "TLSv1"}}, "tls.minVersion", "1.2"),
        ({"tls": {"ca": ["x"]}}, "tls.ca", "PEM"),
        ({"tls": {"ciphers": "x"}}, "tls.ciphers", "no effect"),
        ({"auth": {"user": "u"}}, "auth.pass", "nobody can log in"),
        ({"auth": {"pass": "p"}}, "auth.user", "nothing logs in"),
        ({"auth": {"type": "oauth2", "user": "u"}}, "auth.accessToken", "missing"),
        ({"auth": {"user": "u", "pass": "p", "method": "CRAM-MD5"}}, "auth.method", "no effect"),
        ({"debug": True}, "debug", "no effect"),
        ({"customHeaders": {"from": "x@y.z"}}, "customHeaders.from", "anyway"),
        ({"customHeaders": {"Content-Type": "x"}}, "customHeaders.Content-Type", "anyway"),
        ({"customHeaders": {"X-A": "1\r\nBcc: x@y.z"}}, "customHeaders.X-A", "blank"),
        ({"requireTls": True}, "requireTls", "did you mean requireTLS?"),
    ],
)
def test_what_does_not_fit_together_warns(smtp, raw, change, path, says):
    """With what to do."""
    assert says in warned(smtp, raw, **change)[path]


def test_a_good_config_has_no_warning(smtp, raw):
    """Nobody is warned for nothing."""
    for change in (
        {},
        {"port": 465},
        {"port": 465, "secure": True},
        {"port": 25, "auth": {}},
        {"requireTLS": True},
        {"port": 1025},
    ):
        assert warned(smtp, raw, **change) == {}


def test_a_new_config_is_ready_to_be_filled_in(smtp):
    """Host, port as a number, user, password and sender."""
    import json

    template = json.loads(smtp.metadata.config_template)
    assert {key: value for key, value in template.items() if key != "templates"} == {
        "host": "<Host>", "port": 587, "auth": {"user": "<User>", "pass": "<Password>"}, "fromEmail": "<From>",
    }  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        smtp.validate_config(template)
    assert [problem.path for problem in caught.value.problems] == ["host", "auth.user", "auth.pass", "fromEmail"]


def test_user_and_password_have_fields_of_their_own(smtp, raw):
    """For forms, in place of ``auth``; hidden and kept as any secret."""
    own = {key: value for key, value in raw.items() if key != "auth"} | {"user": "zoe", "password": "hunter2"}
    config = smtp.validate_config(own)
    assert (config.auth.user, config.auth.password.reveal()) == ("zoe", "hunter2")
    assert smtp.redacted(own)["password"] == "***"
    items = {item.key: item for item in smtp.form_items}
    assert (items["password"].is_confidential, items["password"].type, items["password"].group) == (True, "Text", "basic")
    assert (items["auth"].required, items["auth"].group, items["localAddress"].group) == (False, "more", "more")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"user": "zoe", "auth": {"user": "sam", "pass": "x"}}, "user"),
        ({"user": "sam", "password": "y", "auth": {"user": "sam", "pass": "x"}}, "password"),
        ({"auth": None, "user": 5}, "user"),
        ({"auth": None, "user": "zoe "}, "user"),
        ({"auth": {"user": "sam", "pass": "x "}}, "auth.pass"),
    ],
)
def test_two_logins_that_differ_are_a_problem(raw, change, path):
    """At the field, as what is wrong with either."""
    assert problems(raw, **change) == [path]


def test_the_same_login_twice_is_none(raw):
    """A form that fills in both is right."""
    login = {"user": "sam", "pass": "x"}
    assert SMTPConfig.from_dict(raw | {"auth": login, "user": "sam", "password": "x"}).auth.user == "sam"
    assert SMTPConfig.from_dict(raw | {"auth": {}, "user": "sam", "password": "x"}).auth.password.reveal() == "x"
