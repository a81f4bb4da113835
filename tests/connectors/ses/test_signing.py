import json
import re
from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SDKCredentials

from authmail_ses.signing import Credentials, canonical_request, signature, signed_headers

CAPTURES = "ses/captures"
TIME = "%Y%m%dT%H%M%SZ"


def authorization(url, method, body, headers, by, time):
    now = datetime.strptime(time, TIME).replace(tzinfo=UTC)
    return signed_headers(method, url, headers, body, by, now)["authorization"]


def test_every_captured_signature_is_the_same(vectors):
    """Over the same request the official SDK and authmail sign the same; all requests of all captures."""
    count = 0
    for capture in vectors(CAPTURES)["captures"]:
        who = capture["fake_credentials"]
        by = Credentials(who["access_key_id"], who["secret_access_key"], who["region"], who["session_token"])
        for request in capture["requests"]:
            told = {name.lower(): value for name, value in request["headers"]}
            own = {"content-type": told["content-type"]} if "content-type" in told else {}
            url = f"http://{capture['signed_host']}{request['target']}"
            # Where yarl writes a path otherwise than the SDK, such as @ for %40, the text below is signed as it was sent.
            names = [*own, "host", "x-amz-date"]
            text = canonical_request(
                request["method"], request["target"], "", {name: told[name] for name in names}, request["body"].encode()
            )
            scope = f"{told['x-amz-date'][:8]}/{who['region']}/ses/aws4_request"
            proof = signature(text, who["secret_access_key"], scope, told["x-amz-date"])
            assert told["authorization"].endswith(f"Signature={proof}"), capture["name"]
            if "%" not in request["target"]:
                ours = authorization(url, request["method"], request["body"].encode(), own, by, told["x-amz-date"])
                assert ours == told["authorization"], capture["name"]
            count += 1
    assert count == 25


@pytest.mark.parametrize("token", [None, "session/token+with=all=="])
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1", "eusc-de-east-1"])
@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", "https://email.eu-central-1.amazonaws.com/v2/email/outbound-emails", json.dumps({"a": "您的验证码"}).encode()),
        ("POST", "http://127.0.0.1:8026/v2/email/outbound-emails", "您的验证码".encode()),
        ("POST", "https://proxy.example:443/a/path/v2/email/outbound-emails", b""),
        ("GET", "https://email.eu-central-1.amazonaws.com/v2/email/account", b""),
        ("GET", "https://email.eu-central-1.amazonaws.com/v2/email/identities?PageSize=1000", b""),
        ("GET", "https://email.eu-central-1.amazonaws.com/v2/email/identities?PageSize=1000&NextToken=a%2Fb", b""),
        ("GET", "https://email.eu-central-1.amazonaws.com/v2/email/a%2Bb/c", b""),
        ("GET", "https://email.eu-central-1.amazonaws.com", b""),
    ],
)
def test_the_official_signer_signs_the_same(method, url, body, region, token):
    """Botocore's, for any host, path, query, body, region and token."""
    request = AWSRequest(method, url, data=body, headers={"content-type": "application/json"} if body else {})
    SigV4Auth(SDKCredentials("AKIAFAKE", "fake/secret+key", token), "ses", region).add_auth(request)
    own = {"content-type": "application/json"} if body else {}
    by = Credentials("AKIAFAKE", "fake/secret+key", region, token)
    ours = authorization(url, method, body, own, by, request.headers["X-Amz-Date"])
    assert ours == request.headers["Authorization"]


def test_time_is_told_in_utc():
    """Day and time of one reading, whatever the zone of the clock."""
    now = datetime.fromisoformat("2026-11-26T00:30:00+02:00")
    headers = signed_headers("GET", "https://h.example/", {}, b"", Credentials("AKIA", "secret", "us-east-1"), now)
    assert headers["x-amz-date"] == "20261125T223000Z"
    assert re.search(r"Credential=AKIA/20261125/us-east-1/ses/aws4_request,", headers["authorization"])


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://h.example/", "h.example"),
        ("https://h.example:443/", "h.example"),
        ("http://h.example:8026/", "h.example:8026"),
        ("http://[::1]/", "[::1]"),
        ("http://[::1]:80/", "[::1]"),
        ("http://[::1]:8026/", "[::1]:8026"),
    ],
)
def test_the_host_is_that_of_the_request(url, host):
    """With its port where it is not the scheme's own."""
    headers = signed_headers("GET", url, {}, b"", Credentials("AKIA", "secret", "us-east-1"), datetime.now(UTC))
    assert headers["host"] == host


def test_credentials_are_shown_to_nobody():
    """Neither secret nor token."""
    assert "secret-1" not in repr(Credentials("AKIA", "secret-1", "us-east-1", "token-1"))
