import json
import logging
import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path

import pytest
from cpu_time import cpu_seconds

from authmail import Mailbox, Message, Template
from authmail.templates import strangers_in
from authmail.templates.defang import AT_SIGNS, COLONS, DOTS, HAIR, SLASHES, clean_text, defang, defang_name
from authmail.templates.rendering import render_email
from authmail.templates.strangers import Strangers, clean_payload

HOSTS = Path(__file__).parents[1] / "vectors" / "hosts"
NAMES = [entry["name"] for entry in json.loads((HOSTS / "names.json").read_text("utf-8"))["names"]]
TO = "zoe@example.com"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Acme & Sons", "Acme & Sons"),
        ("see https://evil.example/x?y", "see https:~//~evil.~example/x?y"),
        ("HTTP://EVIL.example", "HTTP:~//~EVIL.~example"),
        ("http:/x", "http:~/x"),
        ("//evil", "//~evil"),
        (r"\\evil\share", r"\\~evil\share"),
        ("www.evil.example!", "www.~evil.~example!"),
        ("WwW . evil.example", "WwW . evil.~example"),
        ("evil。com", "evil。~com"),
        ("ht\u200btps://evil.example", "https:~//~evil.~example"),
        ("security@paypal.com", "security@~paypal.~com"),
        ("mailto:a", "mailto:~a"),
        ("localhost", "local~host"),
        ("=?utf-8?q?evil?=", "=~?utf-8?q?evil?="),
        ("+1 555 0100", "+1 ~555 ~0100"),
        ("18005550199", "180~055~501~99"),
        ("1.2.3.4:80", "1.~2.~3.~4:~80"),
        ("at 12:30", "at 12:30"),
        ("24/7 since 1984", "24/7 since 1984"),
        ("9f425a8d-7efc-4768-8f23-7647a74fdf13", "9f425a8d-7efc-4768-8f23-7647a74fdf13"),
        ("Dr. Who, Inc. (St. Pölten)…", "Dr. Who, Inc. (St. Pölten)…"),
        ("a\u202eb\u2066c\u200ed\u00ade", "abcde"),
        ("a\r\n\tb\x00c\u2028d", "a bc d"),
        ("خانه\u200cها", "خانه\u200cها"),
        ("a\u200cb\u200d", "ab"),
        ("é\u200dé", "éé"),
        ("ه\u200ca", "هa"),
        ("ه\u200c\u200cه", "ه\u200cه"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("\U000e0041tag", "tag"),
        ("a\U0001d173b\U0001bca0c\u2800d\u0600e\u3164f", "abcdef"),
        ("葛\U000e0100城 a\U000e0100", "葛\U000e0100城 a"),
        ("❤\ufe0f 5\ufe0f\u20e3 a\ufe0f", "❤\ufe0f 5\ufe0f\u20e3 a"),
        ("Z" + "\u0301" * 40 + "algo", "Z\u0301\u0301algo"),
        ("a\u2003b\u3000c\u00a0d", "a b\u3000c\u00a0d"),
    ],
)
def test_makes_text_inert(typed, read):
    """What would link is broken by a hair space (here ``~``), what cannot be seen is removed, names stay whole."""
    assert defang(typed) == read.replace("~", HAIR)


@pytest.mark.parametrize("name", NAMES)
def test_ordinary_names_are_read_unchanged(name):
    """Twenty names in ten scripts, everywhere in a mail and in the sender's name."""
    template = Template("Word", "{{o.name}}", "{{o.name}}", content_type="text/plain", send_from="{{o.name}}")
    email = render_email(template, Message(TO, "Word", {"o": {"name": name}}), Mailbox(TO))
    assert [email.subject, email.text, defang(name)] == [name] * 3
    assert defang_name(name) == email.from_name == name.replace('"', "")


def test_cuts():
    """Names end after 128 characters, attributes after 2048, with an ellipsis."""
    assert defang("x" * 129) == "x" * 127 + "…"
    assert defang("x" * 128) == "x" * 128
    assert len(clean_text("x" * 10_000_000)) == 2048
    # Only so much is looked at at all.
    assert clean_text("\u200b" * 8191 + "xy") == "x"


@pytest.mark.parametrize("category", ["Cc", "Cf", "Cs", "Co", "Zl", "Zp"])
def test_nothing_unseen_of_unicode_survives(category):
    """Every character of the categories control, format, private, and line separator disappears."""
    unseen = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == category]
    kept = {hex(ord(char)) for char in unseen[:20_000] if clean_text(f"a{char}b") not in ("ab", "a b")}
    assert kept == set()


def test_every_sign_that_is_read_as_another_is_known():
    """Dots, colons, at-signs and slashes by compatibility (NFKC), as browsers and linkifiers read them."""
    for sign, known in ((".", DOTS), (":", COLONS), ("@", AT_SIGNS), ("/", SLASHES)):
        read_so = {
            chr(code)
            for code in range(0x110000)
            if sign in unicodedata.normalize("NFKC", chr(code)) and not 0xD800 <= code < 0xE000
        }
        letters = {char for char in read_so if any(c.isalpha() for c in unicodedata.normalize("NFKC", char))}
        numbers = {char for char in read_so if unicodedata.category(char) == "No" and sign == "/"}  # ½ and its like
        missed = {char for char in read_so - numbers if not re.fullmatch(f"[{known}]", char)}
        assert missed <= letters, (sign, missed)


@pytest.mark.parametrize("make", [
    lambda n: "1 " * n, lambda n: "a." * n, lambda n: "/" * n, lambda n: "\u0301" * n, lambda n: "\u200d" * n, lambda n: "@" * n, lambda n: "9" * n,
])  # fmt: skip
def test_a_megabyte_takes_no_longer_than_a_name(make):
    """Only so much of a value is looked at, whatever it is made of."""
    name, megabyte = make(1_000), make(1_000_000)
    assert len(defang(megabyte)) < 400
    assert cpu_seconds(lambda: [defang(megabyte) for _ in range(20)]) < 10 * cpu_seconds(
        lambda: [defang(name) for _ in range(20)]
    )


OWN = [
    ("code", "anything at all"),
    ("link", "myapp://x"),
    ("otp", "482913"),
    ("login_code", "WXMG-HDDS"),
    ("oneTimeCode", "24681357"),
    ("token", "104729"),
    ("reset_url", "https://acme.example/reset?token=abc"),
    ("activate_url", "http://localhost:3999/verify?token=abc#x"),
    ("email", "Zoe@Example.com"),
    ("minutes", 15),
    ("minutes", "15"),
    ("fresh", True),
    ("price", Decimal("9.50")),
    ("ip", "203.0.113.7"),
    ("ip", "2001:db8::7"),
    ("ip", ip_address("203.0.113.7")),
    ("timestamp", "2026-01-01T00:00:00Z"),
    ("timestamp", "2026-11-25 13:14:43.831+01:00"),
    ("timestamp", datetime(2026, 11, 25, tzinfo=UTC)),
    ("day", date(2026, 11, 25)),
    ("nothing", None),
]
STRANGE = [
    ("name", "Acme"),
    ("code_note", "call +1 555 0100"),
    ("login_code", "call +1 555 0100"),
    ("promo_code", "evil.com"),
    ("reset_url", "javascript:alert(1)"),
    ("reset_url", "https://acme.example/ call us"),
    ("reset_url", "https://acme.example/" + "x" * 2048),
    ("reset_url", "https:///x"),
    ("phone", "18005550199"),
    ("ip", "203.0.113.7:80"),
    ("ip", "fe80::1%evil.com"),
    ("day", "2026-11-25 evil.com"),
    ("email", "other@example.com"),
    ("names", ["Acme"]),
    ("place", {"city": "Oslo"}),
    ("lazy", Path("evil.com")),
]


@pytest.mark.parametrize(("name", "value"), OWN)
def test_what_is_the_hosts_own(name, value):
    """Codes and links by name and form, the recipient's address, numbers, dates and IP addresses; without being listed."""
    assert Strangers().is_own((name,), value, TO)


@pytest.mark.parametrize(("name", "value"), STRANGE)
def test_what_is_a_strangers(name, value):
    """Everything else, whatever it is called."""
    assert not Strangers().is_own((name,), value, TO)


def test_a_vital_value_is_so_at_the_top_alone():
    """What lies within a person's or organization's data was typed by them."""
    assert not Strangers().is_own(("user", "code"), "482913", TO) or Strangers().is_own(("user", "code"), "4829", TO)
    assert not Strangers().is_own(("user", "website_url"), "https://evil.example", TO)


def test_a_host_vouches_for_names():
    """A trusted name stands for all below it, and for nothing else."""
    rule = Strangers(trusted=["shop", "organization.name"])
    assert rule.is_own(("shop",), "see acme.example")
    assert rule.is_own(("shop", "owner"), "x")
    assert rule.is_own(("organization", "name"), "x")
    assert not rule.is_own(("organization", "slug"), "x")
    assert not rule.is_own(("organization",), "x")
    with pytest.raises(TypeError, match="trusted="):
        Strangers(trusted="shop")


def test_links_lead_to_hosts_of_the_host():
    """With ``link_hosts`` a link elsewhere is a stranger's words."""
    rule = Strangers(link_hosts=["acme.example", "*.acme.dev"])
    assert rule.is_own(("reset_url",), "https://ACME.example/x")
    assert rule.is_own(("reset_url",), "https://login.acme.dev/x")
    assert not rule.is_own(("reset_url",), "https://evil.example/x")
    assert not rule.is_own(("reset_url",), "https://acme.example@evil.example/x")
    assert not rule.is_own(("reset_url",), "https://notacme.dev/x")


def test_a_payload_for_a_provider_that_renders():
    """It gets the words as they would stand in a mail of ours."""
    payload = {"code": "1", "user": {"name": "evil.com", "tags": ["a.b", 5]}, "shop": "x.y", "reset_url": "https://a.b/c"}
    assert clean_payload(payload, Strangers(trusted=["shop"]), TO) == {
        "code": "1", "user": {"name": f"evil.{HAIR}com", "tags": [f"a.{HAIR}b", 5]}, "shop": "x.y", "reset_url": "https://a.b/c",
    }  # fmt: skip


def test_a_host_can_list_whose_words_stand_in_a_template():
    """For the table of a check: names of placeholders, by a payload."""
    template = Template("Word", "{{code}}", "{{organization.name}} {{minutes}} {{shop}}", send_from="{{application.name}}")
    payload = {"code": "1", "organization": {"name": "x"}, "minutes": 5, "shop": "y", "application": {"name": "z"}}
    assert strangers_in(template, payload) == ("organization.name", "shop", "application.name")
    assert strangers_in(template, payload, trusted=["shop"]) == ("organization.name", "application.name")


def test_what_was_changed_is_told_once(caplog):
    """Once for each placeholder of a template, with the word that a host looks for."""
    template = Template("Told", "{{a.b}}", "<p>{{a.b}} {{c}}")
    with caplog.at_level(logging.WARNING, "authmail"):
        for _ in range(3):
            render_email(template, Message(TO, "Told", {"a": {"b": "evil.com"}, "c": "fine"}), Mailbox(TO))
        render_email(template, Message(TO, "Told", {"a": {"b": "evil.com"}, "c": "evil.org"}), Mailbox(TO))
    told = [record.getMessage() for record in caplog.records]
    assert [text.partition("changed in ")[2].partition(";")[0] for text in told] == ["a.b", "c"]
    assert all("trusted=" in text and "evil" not in text for text in told)


PAYLOADS = json.loads((HOSTS / "payloads.json").read_text("utf-8"))["payloads"]


@pytest.mark.parametrize("case", PAYLOADS, ids=[case["id"] for case in PAYLOADS])
def test_payloads_of_real_hosts_go_through_unharmed(case):
    """Every value that a host of ours puts into a mail stands there as it came: in text, subject, and HTML."""
    for name, value in case["shown"].items():
        content = f"<p>{{{{{name}}}}}</p>"
        email = render_email(
            Template("Word", f"{{{{{name}}}}}", content), Message(case["to"], "Word", case["payload"]), Mailbox(case["to"])
        )
        assert (email.subject, email.text) == (str(value), str(value)), name
    for href, expected in case.get("links", {}).items():
        template = Template("Word", "s", f'<a href="{href}">x</a>')
        email = render_email(template, Message(case["to"], "Word", case["payload"]), Mailbox(case["to"]))
        assert email.text == f"x ({expected})"
