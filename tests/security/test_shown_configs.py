"""C3: what an admin page shows of a config is an allow-list."""

import json

import pytest
from attacks import ALIYUN, HTTP, SMTP

import authmail

RAW = {
    SMTP: {"host": "smtp.example.com", "port": 587, "auth": {"user": "u", "pass": "S3CRET"}, "fromEmail": "a@b.co"},
    HTTP: {"endpoint": "https://mail.example/send", "authorization": "S3CRET"},
    ALIYUN: {"accessKeyId": "k", "accessKeySecret": "S3CRET", "accountName": "a@b.co"},
}
MISPLACED = {
    "pass at the wrong level": (SMTP, {"pass": "S3CRET"}),
    "a login as text": (SMTP, {"auth": "u:S3CRET"}),
    "another spelling": (SMTP, {"smtp_pass": "S3CRET"}),
    "a foreign name": (ALIYUN, {"accessKey": "S3CRET"}),
    "a data source": (SMTP, {"dsn": "smtp://u:S3CRET@smtp.example.com"}),
    "a harmless name": (HTTP, {"comment": ["S3CRET"]}),
    "an unknown key deep down": (SMTP, {"auth": {"user": "u", "x": {"y": ["S3CRET"]}}}),
    "user and password of a URL": (HTTP, {"endpoint": "https://user:S3CRET@mail.example/send"}),
    "a query": (HTTP, {"endpoint": "https://mail.example/send?api_key=S3CRET"}),
    "a fragment": (HTTP, {"endpoint": "https://mail.example/send#S3CRET"}),
    "a URL without scheme": (ALIYUN, {"endpoint": "user:S3CRET@dm.example.com"}),
    "a URL in another text": (SMTP, {"fromEmail": "https://u:S3CRET@mail.example"}),
    "a number's place": (SMTP, {"port": "S3CRET"}),
    "a choice's place": (ALIYUN, {"regionId": "S3CRET"}),
    "a switch's place": (SMTP, {"secure": "S3CRET"}),
    "a text's place": (SMTP, {"host": {"value": "S3CRET"}}),
    "headers as text": (HTTP, {"headers": "Authorization: S3CRET"}),
    "a template as text": (ALIYUN, {"templates": ["S3CRET"]}),
    "a template's unknown key": (ALIYUN, {"templates": [{"usageType": "X", "subject": "s", "content": "c", "key": "S3CRET"}]}),
    "authorities as an object": (SMTP, {"tls": {"ca": {"key": "S3CRET"}}}),
    "more than a reference": (SMTP, {"auth": {"pass": {"env": "X", "value": "S3CRET"}}}),
    "a secret of another kind": (SMTP, {"auth": {"pass": ["S3CRET"]}}),
}


@pytest.mark.parametrize("name", MISPLACED)
def test_a_secret_is_hidden_wherever_it_stands(name):
    """And what was shown and comes back unchanged is no change."""
    identity, change = MISPLACED[name]
    connector, raw = authmail.get_connector(identity), RAW[identity] | change
    shown = connector.redacted(raw)
    assert "S3CRET" not in json.dumps(shown)
    assert connector.merge(raw, shown) == raw
    assert connector.redacted(shown) == shown


def test_what_an_admin_needs_is_seen():
    """Known settings of their kind, references, templates, and the place that a URL names."""
    raw = RAW[SMTP] | {
        "auth": {"user": "u", "pass": {"env": "AUTHMAIL_PASS"}}, "tls": {"rejectUnauthorized": True, "servername": "mx.example"},
        "customHeaders": {"X-Team": "auth", "List-Help": ["a", "b"]}, "replyTo": None,
        "templates": [{"usageType": "SignIn", "subject": "s", "content": "<a href='https://acme.example/?t={{token}}'>in</a>"}],
    }  # fmt: skip
    assert authmail.get_connector(SMTP).redacted(raw) == raw
    shown = authmail.get_connector(HTTP).redacted(RAW[HTTP] | {"endpoint": "https://u:p@mail.example:8443/send?x=1"})
    assert shown == {"endpoint": "https://***@mail.example:8443/send?***", "authorization": "***"}


def test_what_was_hidden_elsewhere_is_not_stored():
    """A hidden URL that comes back where it never stood is asked for, not taken for a new one."""
    http = authmail.get_connector(HTTP)
    with pytest.raises(authmail.ConfigError, match="endpoint: was hidden"):
        http.merge(RAW[HTTP], {"endpoint": "https://***@mail.example/send"})
