from hashlib import sha256

import pytest

from authmail_aliyun_dm.signing import percent_encode, sign_v1, sign_v3, string_to_sign_v1, string_to_sign_v3


def test_v1_signs_as_the_official_sdks_do(vectors):
    """All vectors, made by running Alibaba's published SDKs."""
    cases = vectors("aliyun_dm/vectors")["v1"]
    assert len(cases) == 45
    for case in cases:
        text = string_to_sign_v1(case["method"], case["params"])
        assert case["string_to_sign"] in (None, text), case["id"]
        assert (sha256(text.encode()).hexdigest(), len(text)) == (case["string_to_sign_sha256"], case["string_to_sign_length"]), (
            case["id"]
        )
        assert sign_v1(case["method"], case["params"], case["access_key_secret"]) == case["signature"], case["id"]


def test_v3_signs_as_the_official_sdks_do(vectors):
    """All vectors, with the text in between."""
    cases = vectors("aliyun_dm/vectors")["v3"]
    assert len(cases) == 24
    for case in cases:
        signed = case["signed_headers"].split(";")
        headers = {name: value for name, value in case["headers_before_authorization"].items() if name.lower() in signed}
        request = (case["method"], case["path"], case["query"], headers, case["body"])
        assert string_to_sign_v3(*request) == case["string_to_sign"], case["id"]
        assert sign_v3(*request, case["access_key_id"], case["access_key_secret"]) == case["authorization"], case["id"]


def test_v3_takes_bytes_too():
    """The body may be given as it goes out."""
    arguments = ("POST", "/", {}, {"host": "x"})
    assert sign_v3(*arguments, "ü", "k", "s") == sign_v3(*arguments, "ü".encode(), "k", "s")


@pytest.mark.parametrize(
    ("text", "encoded"),
    [("aZ09-_.~", "aZ09-_.~"), (" +*'!()", "%20%2B%2A%27%21%28%29"), ("ü你", "%C3%BC%E4%BD%A0"), ("/%", "%2F%25")],
)
def test_encodes_by_rfc_3986(text, encoded):
    """Only letters, digits and four signs stay."""
    assert percent_encode(text) == encoded
