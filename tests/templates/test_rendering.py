import logging

import html5lib
import pytest

from authmail import Mailbox, Message, Template, TemplateError
from authmail.templates.rendering import render_email, split_mailbox

TO = Mailbox("zoe@example.com")


def render(payload=None, **fields):
    fields = {"usage_type": "SignIn", "subject": "s", "content": "c"} | fields
    return render_email(Template(**fields), Message("zoe@example.com", "SignIn", payload or {}), TO)


def test_an_html_template_gives_both_parts():
    """HTML is escaped, the derived text is not, and says that it is derived."""
    email = render(
        {"code": "12<34"}, subject="Code {{code}}", content='<p>Your code: <b>{{code}}</b></p><a href="{{code}}">x</a>'
    )
    assert email.html == '<p>Your code: <b>12&lt;34</b></p><a href="12&lt;34">x</a>'
    assert email.text == "Your code: 12<34\n\nx (12<34)"
    assert email.subject == "Code 12<34"
    assert not email.text_is_own


def test_a_text_of_its_own_is_taken():
    """A template's text part is used as it is written, and so is a text template."""
    email = render({"code": "1"}, content="<p>{{code}}</p>", text="Code:\n{{code}}")
    assert (email.html, email.text, email.text_is_own) == ("<p>1</p>", "Code:\n1", True)
    email = render({"code": "1"}, content="Code:\n{{code}} & <b>", content_type="text/plain")
    assert (email.html, email.text, email.text_is_own) == (None, "Code:\n1 & <b>", True)


def test_values_never_break_a_line_in_text():
    """In subject and text a value's line breaks and controls become blanks; the template's own stay in the text."""
    email = render({"code": "1\r\nBcc: x@y.z\x00"}, subject="{{code}}", content="a\n{{code}}", content_type="text/plain")
    assert email.subject == "1 Bcc: x@y.z "
    assert email.text == "a\n1 Bcc: x@y.z "


@pytest.mark.parametrize("payload", [{}, {"code": None}, {"code": ""}])
@pytest.mark.parametrize("where", ["subject", "content", "text"])
def test_no_mail_without_its_code(payload, where):
    """A template that asks for a code is never sent without one, wherever it asks."""
    with pytest.raises(TemplateError, match="needs code"):
        render(payload, **{where: "{{code}}"})
    with pytest.raises(TemplateError, match="needs link"):
        render(payload, **{where: "{{link}}"})


def test_what_else_is_missing_is_empty_with_one_warning(caplog):
    """Optional context may be absent: empty text, and one line in the log that names what was missing."""
    with caplog.at_level(logging.WARNING, "authmail"):
        email = render({"code": "1"}, subject="{{application.name}}|{{x}}", content="<p>{{organization.name}}{{code}}</p>")
    assert (email.subject, email.html) == ("|", "<p>1</p>")
    assert [record.getMessage() for record in caplog.records] == [
        "template SignIn (None): no value for application.name, x, organization.name"
    ]
    assert caplog.records[0].name == "authmail"


def test_nothing_is_said_where_nothing_is_missing(caplog):
    """The log of a mail that is in order is empty."""
    with caplog.at_level(logging.WARNING):
        render({"code": "1", "x": {"y": 0}}, subject="{{x.y}}", content="{{code}}", send_from="Acme", reply_to="a@b.c")
    assert not caplog.records


def test_a_mail_knows_what_its_message_was():
    """What the connector and a repeat go by comes from the message."""
    message = Message("zoe@example.com", "SignIn", {"code": "1"}, idempotency_key="k")
    email = render_email(Template("Generic", "s", "c"), message, TO)
    assert (email.to, email.usage_type, email.repeatable, email.idempotency_key) == (TO, "SignIn", True, "k")
    assert not render_email(Template("Generic", "s", "c"), Message("zoe@example.com", "SignIn", {"link": "l"}), TO).repeatable


@pytest.mark.parametrize(
    ("template", "name", "address"),
    [
        ("Support <support@example.com>", "Support", "support@example.com"),
        ("support@example.com", "", "support@example.com"),
        ("Support", "Support", ""),
        ("{{organization.name}} <{{organization.email}}>", "{{organization.name}}", "{{organization.email}}"),
        ("no-reply@{{ organization.domain }}", "", "no-reply@{{ organization.domain }}"),
        ('"Acme, Inc." <a@b.c>', "Acme, Inc.", "a@b.c"),
        ("A <x> <c@d.e>", "A <x>", "c@d.e"),
        ("<support@example.com>", "", "support@example.com"),
        ("Acme @ work", "Acme @ work", ""),
        ("XO <xo@example.com>", "XO", "xo@example.com"),
        ("a < b", "a < b", ""),
        ("next >", "next >", ""),
        ("", "", ""),
    ],
)
def test_senders_are_split_as_templates(template, name, address):
    """Name and address are told apart before any value is filled in."""
    assert split_mailbox(template) == (name, address)


def test_no_value_can_add_an_address():
    """A name with brackets and an address in it stays a name."""
    evil = {"organization": {"name": "Acme <evil@example.org>", "email": "a@b.c, evil@example.org"}}
    email = render(evil, send_from="{{organization.name}} <no-reply@example.com>", reply_to="{{organization.email}}")
    assert (email.from_name, email.from_address) == ("Acme <evil@example.org>", Mailbox("no-reply@example.com"))
    assert email.reply_to is None


def test_an_invalid_address_is_left_out_with_a_warning(caplog):
    """The mail goes out all the same, and the log says which key and not which value."""
    email = render({"x": "canary"}, send_from="Acme <{{x}}>", reply_to="{{x}}")
    assert (email.from_name, email.from_address) == ("Acme", None)
    assert email.reply_to is None
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "sendFrom of a template is left out", "replyTo of a template is left out",
    ]  # fmt: skip
    assert "canary" not in caplog.text


def test_reply_to_may_be_a_placeholder_alone():
    """A bare placeholder in replyTo is an address; in sendFrom it is a name, and nothing where it is empty."""
    assert render({}, send_from="{{user.name}}").sent_from(TO) is TO
    assert render({}, send_from="support@example.com").from_address == Mailbox("support@example.com")
    email = render(
        {"user": {"primaryEmail": "sam@example.com"}}, reply_to="{{user.primaryEmail}}", send_from="{{user.primaryEmail}}"
    )
    assert email.reply_to == Mailbox("sam@example.com")
    assert (email.from_name, email.from_address) == ("sam@example.com", None)


def test_an_invitation_is_no_phishing_relay():
    """Links, hidden and direction-changing characters and endless text that strangers typed lose their effect."""
    name = "Acme\u202e\u200b\r\n. Your account is locked: https://evil.example/login or www.evil.example " + "x" * 5000
    email = render(
        {"organization": {"name": name}}, subject="{{organization.name}}", content="<p>{{organization.name}} invites you</p>"
    )
    seen = html5lib.parse(email.html, namespaceHTMLElements=False).find("body/p").text
    for text in (email.subject, email.text, seen):
        assert "https://" not in text
        assert "www." not in text
        assert "\u202e" not in text
        assert "\u200b" not in text
        assert len(text) < 200
        assert "https[:]//evil[.]example/login" in text


@pytest.mark.parametrize("stranger", ["application", "inviter", "organization", "user"])
def test_all_whom_strangers_name_are_read_alike(stranger):
    """Whatever of Logto's context objects holds the name."""
    payload = {stranger: {"name": "www.evil.example"}}
    content = f"{{{{{stranger}.name}}}}"
    email = render(payload, subject=content, content=content)
    assert email.subject == email.html == email.text == "www[.]evil[.]example"


def test_a_strangers_picture_stays_an_address():
    """Within an attribute a stranger's value is escaped and cleaned, not defaced: logos still load."""
    logo = 'https://cdn.example.com/l.png?a=1&b="x'
    email = render({"organization": {"branding": {"logoUrl": logo}}}, content='<img src="{{organization.branding.logoUrl}}">')
    assert html5lib.parse(email.html, namespaceHTMLElements=False).find("body/img").get("src") == logo


def test_links_of_the_host_stay():
    """Only strangers' values are made inert: the message's own link works."""
    shown = render({"link": "https://www.example.com"}, content="{{link}}")
    assert shown.html == shown.text == "https://www.example.com"
    email = render({"link": "https://example.com/join?a=1&b=2"}, content='<a href="{{link}}">Join</a>')
    assert email.text == "Join (https://example.com/join?a=1&b=2)"
    assert (
        html5lib.parse(email.html, namespaceHTMLElements=False).find("body/a").get("href") == "https://example.com/join?a=1&b=2"
    )
