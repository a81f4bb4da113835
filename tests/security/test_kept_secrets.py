"""C4: a kept secret is asked for anew when anything changes that decides where or how it travels."""

import re

import pytest
from attacks import ALIYUN, HTTP, SMTP

import authmail
from authmail import ConfigError
from authmail.config.settings import fields_of, nested_settings

STORED = {
    SMTP: {
        "host": "smtp.example.com", "port": 587, "fromEmail": "a@b.co", "requireTLS": True, "tls": {"servername": "smtp.example.com"},
        "auth": {"type": "oauth2", "user": "u", "refreshToken": "T0KEN", "clientId": "c", "clientSecret": "S3CRET"},
    },
    HTTP: {"endpoint": "https://mail.example/send", "authorization": "S3CRET"},
    ALIYUN: {"accessKeyId": "k", "accessKeySecret": "S3CRET", "accountName": "a@b.co"},
}  # fmt: skip
MOVES = {
    "host": (SMTP, {"host": "evil.example"}),
    "port": (SMTP, {"port": 25}),
    "secure": (SMTP, {"secure": False}),
    "requireTLS": (SMTP, {"requireTLS": False}),
    "requireTLS left out": (SMTP, {"requireTLS": None}),
    "ignoreTLS": (SMTP, {"ignoreTLS": True}),
    "servername": (SMTP, {"servername": "evil.example"}),
    "localAddress": (SMTP, {"localAddress": "10.0.0.9"}),
    "tls.ca": (SMTP, {"tls": {"servername": "smtp.example.com", "ca": "-----BEGIN CERTIFICATE-----"}}),
    "tls.rejectUnauthorized": (SMTP, {"tls": {"servername": "smtp.example.com", "rejectUnauthorized": False}}),
    "tls.servername": (SMTP, {"tls": {"servername": "evil.example"}}),
    "tls.minVersion": (SMTP, {"tls": {"servername": "smtp.example.com", "minVersion": "TLSv1"}}),
    "tls left out": (SMTP, {"tls": None}),
    "auth.accessUrl": (SMTP, {"auth": {**STORED[SMTP]["auth"], "accessUrl": "https://evil.example/token"}}),
    "endpoint": (HTTP, {"endpoint": "https://evil.example/send"}),
    "endpoint with a trick": (HTTP, {"endpoint": "https://mail.example@evil.example/send"}),
    "endpoint of an API": (ALIYUN, {"endpoint": "evil.example"}),
}


def edited(connector, stored, change):
    """What an admin page sends who shows the stored config and whose user changes something."""
    return connector.redacted(stored | change)


@pytest.mark.parametrize("name", MOVES)
def test_a_secret_does_not_travel_elsewhere(name):
    """It must be typed again, and the setting that changed is named."""
    identity, change = MOVES[name]
    connector, stored = authmail.get_connector(identity), STORED[identity]
    with pytest.raises(ConfigError, match="must be typed again, since ") as caught:
        connector.merge(stored, edited(connector, stored, change))
    assert "S3CRET" not in str(caught.value)
    assert connector.merge(stored, stored | change) == stored | change


@pytest.mark.parametrize("reference", [{"env": "AUTHMAIL_PASS"}, {"file": "/run/secrets/pass"}])
@pytest.mark.parametrize("name", MOVES)
def test_nor_does_what_a_reference_points_at(name, reference):
    """The editor need not know the secret to have it sent: a reference counts as kept."""
    identity, change = MOVES[name]
    connector = authmail.get_connector(identity)
    secret = {HTTP: "authorization", ALIYUN: "accessKeySecret"}.get(identity)
    stored = STORED[identity] | ({secret: reference} if secret else {"auth": {**STORED[SMTP]["auth"], "clientSecret": reference}})
    auth = {"auth": {**change["auth"], "clientSecret": reference}} if "auth" in change else {}
    typed = {**stored, **change, **auth}
    with pytest.raises(ConfigError, match="must be typed again, since "):
        connector.merge(stored, typed)


@pytest.mark.parametrize(
    "change",
    [{}, {"fromEmail": "c@d.co"}, {"secure": None}, {"ignoreTLS": False}, {"customHeaders": {"X-Team": "auth"}}, {"name": "mx"}],
)
def test_other_changes_keep_it(change):
    """What is said where nothing was, and means the same, is no change either."""
    smtp = authmail.get_connector(SMTP)
    merged = smtp.merge(STORED[SMTP], edited(smtp, STORED[SMTP], change))
    assert merged == STORED[SMTP] | change


#: What a setting is called that decides where or how a connector goes.
TELLING = re.compile(
    r"(?i)(host|port|url|uri|endpoint|server|servername|address|region|zone|domain|proxy|ca|cert\w*|authority|secure|version)$|tls|ssl|verify|reject"
)
#: Settings with such a name that decide nothing of the kind, each with the reason.
NOT_MEANT = {
    "replyAddress": "where answers go",
    "replyToAddress": "whether answers go there",
    "disableUrlAccess": "has no effect",
    "emailAddress": "the sender",
    "feedbackForwardingEmailAddress": "where bounces go",
    "bypassListManagement": "which mails go out at all",
    "domain": "a part of the path, at the provider's own hosts",
    "regionId": "a choice of the provider's own hosts",
}


def unmarked(cls, path=""):
    """Yield the settings of a class that sound like a destination and are not marked."""
    for key, field, spec in fields_of(cls):
        nested = nested_settings(field.type)
        if nested is not None:
            yield from unmarked(nested, f"{path}{key}.")
        elif TELLING.search(key) and not spec.destination and key not in NOT_MEANT:
            yield f"{path}{key}"


@pytest.mark.parametrize("identity", authmail.connector_ids())
def test_every_destination_is_marked(identity):
    """In each connector that is installed, by the names that such settings have."""
    assert list(unmarked(authmail.get_connector(identity).metadata.settings)) == []
