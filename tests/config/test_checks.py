import pytest

from authmail import checks


@pytest.mark.parametrize("text", [None, "", "plain", "名字"])
def test_printable_text_passes(text):
    """Any script, and nothing at all."""
    checks.printable(text)


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "\x00", "a\u2028b"])
def test_line_breaks_and_controls_do_not(text):
    """They could begin another header."""
    with pytest.raises(ValueError, match="control characters"):
        checks.printable(text)


def test_an_address_has_no_name_and_a_mailbox_may():
    """One address each."""
    checks.one_address("a@example.com")
    checks.one_mailbox("Zoe <a@example.com>")
    checks.one_address(None)
    checks.one_mailbox(None)
    with pytest.raises(ValueError, match="not one single address"):
        checks.one_address("Zoe <a@example.com>")
    with pytest.raises(ValueError, match="not one single address"):
        checks.one_mailbox("a@example.com, b@example.com")


@pytest.mark.parametrize("text", [None, "api.example.com", "https://api.example.com:8443/base", "http://127.0.0.1:8026"])
def test_a_host_or_url_is_an_endpoint(text):
    """Whether it may be connected to is the egress policy's question."""
    checks.endpoint(text)


@pytest.mark.parametrize(
    "text",
    ["", "https://", "ftp://a.example", "https://user@a.example", "https://a.example/?q", "https://a.example/#f", "a b", "a\\b",
     "https://a.example:99999", "https://a.example:0", "file:///etc/passwd", "https://a.example/\t/x"],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_none(text):
    """User, query and fragment have misled other programs."""
    with pytest.raises(ValueError, match="must be a host"):
        checks.endpoint(text)


def test_an_endpoint_becomes_a_url():
    """A bare host is https; the default serves where there is none; one slash at the end is left to the caller."""
    assert checks.endpoint_url(None, "api.example.com") == "https://api.example.com"
    assert checks.endpoint_url("eu.example.com/base/", "api.example.com") == "https://eu.example.com/base"
    assert checks.endpoint_url("http://127.0.0.1:1", "api.example.com") == "http://127.0.0.1:1"
