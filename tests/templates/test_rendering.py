import logging

import html5lib
import pytest

from authmail import Mailbox, Message, MessageRejected, Template, TemplateError
from authmail.templates.defang import HAIR
from authmail.templates.rendering import render_email, split_mailbox
from authmail.templates.senders import FromAddresses
from authmail.templates.strangers import Strangers

TO = Mailbox("zoe@example.com")


def render(payload=None, strangers=None, from_addresses=None, **fields):
    fields = {"usage_type": "SignIn", "subject": "s", "content": "c"} | fields
    return render_email(Template(**fields), Message("zoe@example.com", "SignIn", payload or {}), TO, strangers, from_addresses)


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
    assert (email.from_name, email.from_address) == (f"Acme evil example.{HAIR}org", Mailbox("no-reply@example.com"))
    assert email.reply_to is None


def test_an_invalid_address_is_left_out_with_a_warning(caplog):
    """The mail goes out all the same, and the log says which key and not which value."""
    email = render({"x": "canary"}, strangers=Strangers(trusted=["x"]), send_from="Acme <{{x}}>", reply_to="{{x}}")
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
    user = {"user": {"primaryEmail": "sam@example.com"}}
    vouched = Strangers(trusted=["user.primaryEmail"])
    email = render(user, strangers=vouched, reply_to="{{user.primaryEmail}}", send_from="{{user.primaryEmail}}")
    assert email.reply_to == Mailbox("sam@example.com")
    assert (email.from_name, email.from_address) == ("sam@example.com", None)


@pytest.mark.parametrize(
    "template", ["x <{{user.name}}@host.example>", "{{user.name}}@host.example", "x <ceo@{{user.name}}.example>"]
)
def test_no_stranger_stands_within_an_address(template, caplog):
    """The configured address stays, the mail goes out, one warning names the placeholder and never the value."""
    with caplog.at_level(logging.WARNING, "authmail"):
        email = render({"user": {"name": "canary"}}, send_from=template, reply_to=template)
    assert email.from_address is None
    assert email.reply_to is None
    assert len(caplog.records) == 2
    assert all("user.name" in record.getMessage() and "trusted=" in record.getMessage() for record in caplog.records)
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("sales@mail.acme.example", True),
        ("sales@acme.example", True),
        ("sales@eu.mail.acme.example", True),
        ("sales@MAIL.acme.example", True),
        ("sales@other.acme.example", False),
        ("sales@notacme.example", False),
        ("sales@example", False),
        ("ceo@bank.example", False),
    ],
)
def test_a_mail_comes_from_the_configured_domain(address, allowed, caplog):
    """Or from its parents of two and more labels, or from below it; else the configured address stays, with a warning."""
    around = FromAddresses.around(Mailbox("no-reply@mail.acme.example"))
    with caplog.at_level(logging.WARNING, "authmail"):
        email = render({}, from_addresses=around, send_from=f"Sales <{address}>")
    assert email.from_name == "Sales"
    assert (email.from_address is not None) == allowed
    assert ("from_addresses=" in caplog.text) != allowed


def test_a_host_says_where_mails_may_come_from():
    """Addresses, domains, and everything below a domain; with no configured sender, any."""
    rule = FromAddresses(["ceo@bank.example", "acme.example", "*.acme.dev"])
    allowed = ["CEO@bank.example", "a@acme.example", "a@x.acme.dev"]
    refused = ["cfo@bank.example", "a@x.acme.example", "a@acme.dev"]
    assert [rule.allows(Mailbox(address)) for address in allowed + refused] == [True] * 3 + [False] * 3
    assert FromAddresses.around(None).allows(Mailbox("anybody@bank.example"))
    with pytest.raises(TypeError, match="from_addresses="):
        FromAddresses("acme.example")


def test_an_invitation_is_no_phishing_relay():
    """Links, hidden and direction-changing characters and endless text that strangers typed lose their effect."""
    name = "Acme\u202e\u200b\r\n. Your account is locked: https://evil.example/login or www.evil.example " + "x" * 5000
    email = render(
        {"organization": {"name": name}}, subject="{{organization.name}}", content="<p>{{organization.name}} invites you</p>"
    )
    seen = html5lib.parse(email.html, namespaceHTMLElements=False).find("body/p").text
    for text in (email.subject, email.text, seen):
        assert "https://" not in text
        assert "www.evil" not in text
        assert "\u202e" not in text
        assert "\u200b" not in text
        assert len(text) < 200
        assert f"https:{HAIR}//{HAIR}evil.{HAIR}example/login" in text


@pytest.mark.parametrize("stranger", ["application", "inviter", "organization", "user", "shop", "anything"])
def test_all_whom_strangers_name_are_read_alike(stranger):
    """Whatever holds the name."""
    payload = {stranger: {"name": "www.evil.example"}}
    content = f"{{{{{stranger}.name}}}}"
    email = render(payload, subject=content, content=content)
    assert email.subject == email.html == email.text == f"www.{HAIR}evil.{HAIR}example"


def test_a_strangers_picture_stays_an_address():
    """Within an attribute a stranger's value is escaped and cleaned, not broken: logos still load."""
    logo = "https://cdn.example.com/l.png?a=1&b=x"
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


TAG = "<a class={{o.name}} href={{o.url}} id='{{o.name}}' {{o.name}} title={{o.name}}>{{o.name}}</a>"


@pytest.mark.parametrize("name", ["x onclick=alert(1)", "x' y='", 'x" y="', "x>y", "", "`x`", "a=b", "\u00a0x", "/x"])
def test_a_stranger_adds_no_attribute(name):
    """Whatever quotes stand around it, and where there are none."""
    email = render({"o": {"name": name, "url": "https://a.example/x?y=z"}}, content=TAG)
    link = html5lib.parse(email.html, namespaceHTMLElements=False).find("body/a")
    assert sorted(link.attrib) == ["class", "href", "id", "title"]
    assert link.get("href") == "https://a.example/x?y=z"
    assert list(link) == []


@pytest.mark.parametrize(
    "attribute",
    ['href="{{o.url}}"', "href='{{o.url}}'", "href={{o.url}}", 'src="{{o.url}}"', 'href=" {{o.url}}"', "HREF = '{{o.url}}'"],
)
@pytest.mark.parametrize(
    ("url", "there"),
    [
        ("https://a.example/x?y=1&z=2", "https://a.example/x?y=1&z=2"),
        (" http://a.example", "http://a.example"),
        ("javascript:alert(1)", ""),
        ("JaVaScRiPt:alert(1)", ""),
        ("\x01javascript:x", ""),
        ("data:text/html,x", ""),
        ("//evil.example", ""),
        ("https://a.example/ x", ""),
        ("https:///", ""),
        ("mailto:a@b.c", ""),
        ("evil.example", ""),
    ],
)
def test_a_strangers_address_is_a_web_address(attribute, url, there):
    """In href and src only http and https, else nothing."""
    email = render({"o": {"url": url}}, content=f"<p {attribute}>")
    values = html5lib.parse(email.html, namespaceHTMLElements=False).find("body/p").attrib.values()
    assert [value.strip() for value in values] == [there]


@pytest.mark.parametrize(
    ("content", "name", "there"),
    [
        ('<a href="https://acme.example/o/{{o}}">', "a b&c/d?e", "https://acme.example/o/a%20b%26c/d%3Fe"),
        (
            '<a href="https://acme.example/?next={{o}}">',
            "https://evil.example",
            "https://acme.example/?next=https%3A//evil.example",
        ),
        ('<a href="https://acme.example/?q={{o}}">', "50%25 100%", "https://acme.example/?q=50%25%20100%25"),
        ('<a href="https://{{o}}.acme.example/">', "shop", "https://shop.acme.example/"),
        ('<a href="https://{{o}}.acme.example/">', "evil.com/", "https://.acme.example/"),
        ('<a href="https://acme.example{{o}}">', "@evil.com", "https://acme.example"),
        ("<a href=\"javascript:go('{{o}}')\">", "');evil('", "javascript:go('')"),
        ('<a href="mailto:{{o}}">', "a@evil.com", "mailto:"),
        ('<a href="{{link}}?org={{o}}">', "a&b", "https://acme.example?org=a%26b"),
        ('<a href="/{{o}}">', "/evil.com", "/%2Fevil.com"),
    ],
)
def test_a_stranger_within_an_address_stays_within_it(content, name, there):
    """Encoded behind the host, one label in it, nothing behind another scheme."""
    email = render({"link": "https://acme.example", "o": name}, content=content)
    assert html5lib.parse(email.html, namespaceHTMLElements=False).find("body/a").get("href") == there


def test_an_address_written_out_in_text_is_treated_alike():
    """A link that the template makes with a stranger's value stays one link."""
    email = render(
        {"o": "a b", "id": "285181014567813122"},
        content="see https://acme.example/{{o}}?id={{id}} now",
        content_type="text/plain",
    )
    assert email.text == "see https://acme.example/a%20b?id=285181014567813122 now"


def test_a_stranger_writes_no_style():
    """Within style sheets and style attributes a value is a word: no rule, no address, no end of the element."""
    evil = "red;background:url(//evil)}</style><b>"
    email = render({"o": evil}, content='<style>p{color:{{o}}}</style><p style="color:{{o}}">x</p>')
    page = html5lib.parse(email.html, namespaceHTMLElements=False)
    assert page.find("head/style").text == "p{color:redbackgroundurlevilstyleb}"
    assert page.find("body/p").get("style") == "color:redbackgroundurlevilstyleb"
    assert render({"o": "#5469d4"}, content='<p style="color:{{o}}">').html == '<p style="color:#5469d4">'


def test_a_megabyte_in_a_subject_goes_nowhere():
    """A stranger's value is cut, and so is the subject; a code of that size is refused by name."""
    email = render({"o": "x" * 1_000_000, "y": "z" * 1_000_000}, Strangers(trusted=["y"]), subject="{{o}}{{y}}")
    assert len(email.subject) == 998
    assert email.subject.endswith("z…")
    with pytest.raises(MessageRejected, match="code of the payload is longer than 16384 characters"):
        render({"code": "1" * 1_000_000}, subject="{{code}}")
