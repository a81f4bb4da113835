"""I15: a config that the egress policy will refuse is told when it is saved, not by the first mail."""

import logging

import pytest
from attacks import ALIYUN, HTTP, SMTP

import authmail
from authmail import Egress

LOGIN = {"type": "oauth2", "user": "u", "refreshToken": "t", "clientId": "c", "clientSecret": "s"}
PLACES = {
    "endpoint": (ALIYUN, {"accessKeyId": "k", "accessKeySecret": "s", "accountName": "a@b.co", "endpoint": "10.0.0.5"}),
    "host": (SMTP, {"host": "127.0.0.1", "port": 587, "auth": {}, "fromEmail": "a@b.co"}),
    "auth.accessUrl": (
        SMTP,
        {
            "host": "smtp.example.com",
            "port": 587,
            "auth": LOGIN | {"accessUrl": "https://vault.internal/t"},
            "fromEmail": "a@b.co",
        },
    ),
}


@pytest.mark.parametrize("path", PLACES)
def test_a_refused_place_is_a_warning(path, caplog):
    """By its path, where the caller says which policy there will be; validating it logs the same."""
    identity, raw = PLACES[path]
    connector = authmail.get_connector(identity)
    (warning,) = (one for one in connector.warnings(raw, templates=[1], egress=Egress.PUBLIC) if "refused" in one.message)
    assert warning.path == path
    assert "egress policy refuses" in warning.message
    with caplog.at_level(logging.WARNING, "authmail"):
        assert connector.validate_config(raw, templates=[1], egress=Egress.PUBLIC)
    assert str(warning) in caplog.text
    assert not [one for one in connector.warnings(raw, templates=[1]) if "refused" in one.message]


def test_what_will_be_allowed_is_none():
    """Private addresses with Egress.ANY; the provider's own host; and a list of hosts is looked at too."""
    identity, raw = PLACES["endpoint"]
    connector = authmail.get_connector(identity)
    raw = {key: value for key, value in raw.items() if key != "endpoint"}
    assert not [one for one in connector.warnings(raw, templates=[1], egress=Egress.PUBLIC) if "refused" in one.message]
    assert [one.path for one in connector.warnings(raw, templates=[1], egress=Egress(hosts=["mail.example"]))] == ["endpoint"]
    http = authmail.get_connector(HTTP)
    assert not http.warnings({"endpoint": "https://10.0.0.5/", "authorization": "s3cr3t"}, egress=Egress.ANY)
