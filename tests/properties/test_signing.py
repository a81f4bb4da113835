"""Aliyun's signatures against those of the official SDK, for anything that can be signed."""

from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import parse_qsl

import pytest
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest
from hypothesis import given
from hypothesis import strategies as st
from strategies import HTML, UNICODE

from authmail import Email, Secret
from authmail.privacy import whole_unicode
from authmail_aliyun_dm.config import AliyunDMConfig
from authmail_aliyun_dm.request import single_send_mail
from authmail_aliyun_dm.signing import percent_encode, sign_v1, sign_v3

METHODS = st.sampled_from(["GET", "POST", "PUT"])
PARAMETERS = st.dictionaries(UNICODE, UNICODE, max_size=6)
#: The SDK does not encode names of a V3 query, against its own documentation; no API has names that need it.
QUERIES = st.dictionaries(st.text("abcXYZ019.-_~", max_size=6), UNICODE, max_size=6)
#: HTTP knows no two names that differ in their capitals alone.
HEADERS = st.lists(st.tuples(UNICODE, UNICODE), max_size=5, unique_by=lambda header: header[0].lower()).map(dict)
CONFIGS = {
    signature: AliyunDMConfig(access_key_id="k", access_key_secret=Secret("s"), account_name="a@example.com", signature=signature)
    for signature in ("v3", "v1")
}
PATHS = st.lists(UNICODE.map(percent_encode), max_size=3).map(lambda segments: "/" + "/".join(segments))


@given(METHODS, PARAMETERS, UNICODE)
def test_v1_is_what_the_official_sdk_signs(method, parameters, secret):
    """Any names, values and secret."""
    assert sign_v1(method, parameters, secret) == Utils.get_rpcsignature(parameters, method, secret)


@given(METHODS, PATHS, QUERIES, HEADERS, UNICODE | st.binary(), UNICODE, UNICODE)
def test_v3_is_what_the_official_sdk_signs(method, path, query, headers, body, key, secret):
    """Any path, query, headers, body, key and secret."""
    request = DaraRequest()
    request.method, request.pathname, request.query, request.headers = method, path, query, headers
    payload = sha256(body.encode() if isinstance(body, str) else body).hexdigest()
    theirs = Utils.get_authorization(request, "ACS3-HMAC-SHA256", payload, key, secret)
    assert sign_v3(method, path, query, headers, body, key, secret) == theirs


@given(UNICODE)
def test_encodes_as_the_official_sdk_does(text):
    """RFC 3986, to the letter."""
    assert percent_encode(text) == Utils.get_encode_param(text)


@pytest.mark.parametrize("signature", ["v3", "v1"])
@given(subject=UNICODE, html=UNICODE | HTML.map(whole_unicode), text=st.none() | UNICODE)
def test_a_form_reader_finds_what_was_signed(signature, subject, html, text):
    """The body of a request holds subject and parts to the letter, as any server reads forms."""
    email = Email("zoe@example.com", subject, html=html, text=text)
    request = single_send_mail(email, CONFIGS[signature], nonce="n", now=datetime(2026, 1, 2, tzinfo=UTC))
    form = dict(parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True))
    assert (form["Subject"], form["HtmlBody"], form.get("TextBody")) == (email.subject, html, text)
