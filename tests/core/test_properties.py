"""Rules that hold for any input, tried on inputs that nobody would think of."""

import json
from email import message_from_string
from email.policy import default

import html5lib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import authmail
from authmail import ConfigError, Email, Mailbox, Message, SendError, Template
from authmail.email import Sender
from authmail.locales import best_match, wanted_locales
from authmail.plaintext import html_to_text
from authmail.redaction import struck
from authmail.templates import render
from authmail.templates.rendering import rendered

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
KEYS = [item.key for item in authmail.get_connector("aliyun-dm").form_items]
TEMPLATE_KEYS = ["usageType", "subject", "content", "contentType", "type", "text", "locale", "languageTag", "sendFrom", "replyTo"]
CONFIGS = st.dictionaries(
    st.sampled_from(KEYS) | st.text(max_size=8),
    JSON | st.lists(st.dictionaries(st.sampled_from(TEMPLATE_KEYS), JSON | st.sampled_from(["SignIn", "text/html"])), max_size=3),
)
PAYLOADS = st.dictionaries(
    st.sampled_from(["code", "link", "user", "organization", "locale", "uiLocales"]) | st.text(max_size=5), JSON, max_size=5
)
PIECES = st.lists(
    st.sampled_from(["{{", "}}", "{{code}}", "{{ user.name }}", "{{link}}", "<p>", "</a>", '<a href="', '">', " ", "x"])
    | st.text(max_size=6)
)
TEMPLATES = PIECES.map("".join)


@given(JSON | CONFIGS)
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_gives_a_config_or_a_config_error(raw):
    """Never anything else; and looking at it, redacting and merging it never fail in another way."""
    connector = authmail.get_connector("aliyun-dm")
    try:
        connector.validate_config(raw)
    except ConfigError as error:
        assert error.problems
        assert str(error)
    if isinstance(raw, dict):
        connector.warnings(raw)
        shown = connector.redacted(raw)
        try:
            connector.merge(raw, shown)
        except ConfigError:
            pytest.fail("what was shown and came back unchanged is no change")


@given(
    st.dictionaries(
        st.sampled_from(TEMPLATE_KEYS), st.text(max_size=5) | st.sampled_from(["text/plain", "text/html"]) | st.none()
    )
)
def test_templates_survive_their_json(data):
    """from_dict(to_dict(x)) == x."""
    try:
        template = Template.from_dict(data)
    except ConfigError:
        return
    assert Template.from_dict(template.to_dict()) == template


@given(st.text(), st.text(), st.dictionaries(st.text(), JSON), st.none() | st.text())
def test_messages_survive_their_json(to, usage_type, payload, ip):
    """from_dict(to_dict(x)) == x, as long as code, link and locale are texts."""
    payload = {key: value for key, value in payload.items() if key not in ("code", "link", "locale")}
    message = Message(to, usage_type, payload, ip)
    copy = Message.from_dict(message.to_dict())
    assert (copy.to, copy.type, copy.ip, list(copy.payload)) == (to, usage_type, ip, list(payload))
    assert repr(copy)


@given(TEMPLATES, PAYLOADS)
def test_rendering_leaves_literals_alone(template, payload):
    """Text without a placeholder stays as it is, whatever the payload; rendering never fails."""
    text = render(template, payload)
    assert isinstance(text, str)
    if "{{" not in template:
        assert text == template.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@given(st.text(), st.text(alphabet="<>&\"'{}ab \n/=-!"))
def test_a_value_never_becomes_markup(value, hostile):
    """In text and in a quoted attribute a parser finds no element and no attribute but the template's own."""
    for each in (value, hostile):
        page = render('<p title="{{v}}">{{v}}</p>', {"v": each}, html=True)
        paragraph = html5lib.parse(page, namespaceHTMLElements=False).find("body/p")
        assert len(paragraph) == 0
        assert set(paragraph.attrib) == {"title"}


@given(TEMPLATES, TEMPLATES, PAYLOADS, st.sampled_from(["text/html", "text/plain"]), st.none() | TEMPLATES, st.none() | TEMPLATES)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_template_and_a_payload_give_a_mail_or_an_outcome(subject, content, payload, kind, send_from, reply_to):
    """The subject is one line, and the mail has a text."""
    template = Template("X", subject, content, kind, send_from=send_from, reply_to=reply_to)
    try:
        email = rendered(template, Message("a@b.c", "X", payload), Mailbox("a@b.c"))
    except SendError:
        return
    assert isinstance(email, Email)
    assert email.sender is None or isinstance(email.sender, Sender)
    assert email.text is not None
    assert len(email.subject.splitlines()) <= 1


@given(st.text() | st.text(alphabet='ab@."<>, \\()\r\n;:'))
def test_a_mailbox_reads_back_as_itself(text):
    """What is taken as a mailbox is written so that Python's email parser and we read the same single address."""
    try:
        mailbox = Mailbox.parse(text)
    except ValueError:
        return
    assert Mailbox.parse(str(mailbox)).address == mailbox.address
    if mailbox.address.isascii() and '"' not in mailbox.address:
        header = message_from_string(f"To: {mailbox}\n\n", policy=default)["To"]
        assert [address.addr_spec for address in header.addresses] == [mailbox.address]


@given(
    st.text(),
    st.lists(
        st.sampled_from(["<p>", "</p>", "<a href='x'>", "</a>", "<ul>", "<li>", "<!--", "-->", "<b hidden>", "&lt;", "{{code}}"])
        | st.text(max_size=4)
    ),
)
def test_html_to_text_takes_anything(text, pieces):
    """It never fails, and gives no tag of ours back."""
    html_to_text(text)
    result = html_to_text("".join(pieces))
    assert "<li>" not in result
    assert result == result.strip("\n")


@given(PAYLOADS, st.lists(st.text(max_size=6)))
def test_locales_take_anything(payload, available):
    """Whatever a request sends, a tag that exists or none is found."""
    found = best_match(wanted_locales(payload), available)
    assert found is None or found in available


@given(st.text(), st.lists(st.text(max_size=12)))
def test_striking_out_leaves_nothing(text, confidential):
    """No confidential part of at least four characters is left."""
    result = struck(" ".join([text, *confidential]), confidential)
    for part in confidential:
        bare = part.removeprefix("https://").removeprefix("http://")
        assert len(bare) < 4 or set(bare) <= set("* ") or bare not in result


def test_config_template_is_json():
    """What init prints can be read back."""
    assert json.loads(authmail.get_connector("aliyun-dm").metadata.config_template)
