"""No stranger's text becomes a link, an address or a phone number: published linkifiers judge a corpus of attempts."""

import json
import os
import shutil
import subprocess
from html import unescape
from itertools import product
from pathlib import Path

import bleach
import html5lib
import phonenumbers
import pytest
from linkify_it import LinkifyIt

from authmail import Mailbox, Message, Template
from authmail.templates.defang import HAIR, defang, defang_name
from authmail.templates.rendering import render_email

HERE = Path(__file__).parent
TO = Mailbox("zoe@example.com")

SCHEMES = ["http://", "https://", "HTTPS://", "https:// ", "https :// ", "http:/", "http:\\\\", "//", "\\\\", "https：//", "https:／／", "ftp://",
           "mailto:", "tel:", "sms:", "javascript:", "ht\u200btps://", "hxxps://", "www.", "WWW.", "", "", "(", "<", "\u202e"]  # fmt: skip
HOSTS = ["evil.com", "EVIL.COM", "login.evil.co.uk", "evil.example", "xn--e1afmkfd.xn--p1ai", "пример.рф", "例え.テスト", "北京.中国", "مثال.مصر",
         "93.184.216.34", "[2001:db8::1]", "0x5db8d822", "localhost", "user:pw@evil.com", "evil.com.", "i❤.ws", "a-b.evil.dev"]  # fmt: skip
DOTS = [".", "．", "。", "｡", "․", "﹒", ".\u200b", "\u2060.", ".\u00ad", ".\u2800", ".\u3164", " ."]
TAILS = ["", "/login", ":8080/x?a=b#c", "?x@y.com", "/x,", ")", "！"]
ADDRESSES = ["security@paypal.com", "a.b+c@evil.example", "security＠paypal.com", "security﹫paypal.com", "a@localhost", "x@例え.テスト", "<a@evil.com>",
             '"a b"@evil.com', "mailto:a@evil.com?subject=x", "a@[93.184.216.34]", "@evil", "a@b@evil.com"]  # fmt: skip
PHONES = ["+1 555 0100", "+1 800 555 0199", "+18005550199", "18005550199", "(800) 555-0199", "800.555.0199", "800·555·0199", "1-800-555-0199",
          "+49 30 901820", "００４９ ３０ ９０１８２０", "٠٠٤٩٣٠٩٠١٨٢٠", "+1\u00a0800\u00a0555\u00a00199", "800/555/0199", "8 0 0 5 5 5 0 1 9 9", "tel:+1-800-555-0199",
          "+1 (800) 555-0199 ext. 5", "800\u200b5550199", "٨٠٠ ٥٥٥ ٠١٩٩", "0800 123456", "800--555--0199"]  # fmt: skip
WORDS = ["Your account is locked. Call {} now", "{}", "Acme ({}) Inc.", "北京{}公司", "see:{}"]


def corpus():
    """Every scheme with every host, dot and tail that goes with it; addresses and phone numbers, each within words."""
    hosts = [host.replace(".", dot) for host, dot in product(HOSTS, DOTS)]
    links = [scheme + host + TAILS[index % len(TAILS)] for index, (scheme, host) in enumerate(product(SCHEMES, hosts))]
    tried = [*dict.fromkeys(links), *ADDRESSES, *PHONES]
    return [WORDS[index % len(WORDS)].format(attempt) for index, attempt in enumerate(tried)] + [*ADDRESSES, *PHONES]


CORPUS = corpus()
linkify_it = LinkifyIt(options={"fuzzy_link": True, "fuzzy_email": True, "fuzzy_ip": True}).tlds(["example", "onion"], True)


def linked_by_linkify_it(text):
    return [match.raw for match in linkify_it.match(text) or []]


def linked_by_bleach(text):
    return ["bleach"] if "<a " in bleach.linkify(text.replace("<", "&lt;"), parse_email=True) else []


def called_by_phonenumbers(text):
    regions = ("US", "DE", "CN")
    return [match.raw_string for region in regions for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=1)]


def judged_by_node(texts):
    """What three linkifiers of npm find, in one process."""
    if not (shutil.which("node") and (HERE / "node_modules" / "linkifyjs").exists()):
        if os.environ.get("CI") == "true":
            pytest.fail("node or its modules are missing; .ci/run installs them")
        pytest.skip("needs node and its modules, see .ci/run")
    node = subprocess.run(
        ["node", HERE / "linkifiers.cjs"], input=json.dumps(texts), capture_output=True, encoding="utf-8", check=True, timeout=120
    )
    return json.loads(node.stdout)


@pytest.fixture(scope="module")
def shown():
    """All that people read of mails with a stranger's words: HTML as text, text, subject and the sender's name."""
    template = Template(
        "Word",
        "Join {{organization.name}}",
        "<p>Join {{organization.name}} <b>{{organization.name}}</b>!",
        send_from="{{organization.name}}",
    )
    texts = []
    for words in CORPUS:
        email = render_email(template, Message("zoe@example.com", "Word", {"organization": {"name": words}}), TO)
        page = "".join(html5lib.parse(email.html, namespaceHTMLElements=False).itertext())
        texts += [page, email.text, email.subject, email.from_name, unescape(email.html)]
    return list(dict.fromkeys(texts))


def test_the_judges_find_what_is_not_cleaned():
    """Each of them sees links, addresses or numbers in the corpus as it was typed; else they would judge nothing."""
    for judge, least in ((linked_by_linkify_it, 900), (linked_by_bleach, 500), (called_by_phonenumbers, 25)):
        assert sum(bool(judge(words)) for words in CORPUS) >= least, judge.__name__


def test_nobody_links_in_python(shown):
    """linkify-it-py, bleach and phonenumbers find nothing."""
    judges = (linked_by_linkify_it, linked_by_bleach, called_by_phonenumbers)
    assert {text: found for text in shown if (found := [hit for judge in judges for hit in judge(text)])} == {}


def test_nobody_links_in_javascript(shown):
    """linkifyjs, linkify-it and Autolinker find nothing."""
    assert sum(map(bool, judged_by_node(CORPUS))) > 1000
    found = judged_by_node(shown)
    assert {text: hits for text, hits in zip(shown, found, strict=True) if hits} == {}


def test_two_values_beside_each_other_give_no_link():
    """What is harmless alone does not join: two names, a name and a word of the template, two halves of a number."""
    pairs = [("evil.", "com"), ("evil", ".com"), ("a@", "evil.com"), ("https:", "//evil.com"), ("https:/", "/evil.com"), ("+1 800", "5550199"),
             ("8005", "5501"), ("+1 800 55", "5 01 99"), ("evil", "@paypal.com"), ("www.", "evil")]  # fmt: skip
    templates = ["{{a}}{{b}}", "{{a}} {{b}}", "{{a}}-{{b}}", "{{a}}com {{b}}", "<b>{{a}}</b>{{b}}"]
    texts = []
    for (a, b), content in product(pairs, templates):
        email = render_email(Template("Word", content, content), Message("zoe@example.com", "Word", {"a": a, "b": b}), TO)
        texts += [email.text, "".join(html5lib.parse(email.html, namespaceHTMLElements=False).itertext())]
    for text in texts:
        assert linked_by_linkify_it(text) + linked_by_bleach(text) + called_by_phonenumbers(text) == [], text
    assert [hits for hits in judged_by_node(texts) if hits] == []


def test_it_still_reads_naturally():
    """What is broken differs by hair spaces alone from what was typed."""
    assert defang("Call +1 555 0100 or go to evil.com/x").replace(HAIR, "") == "Call +1 555 0100 or go to evil.com/x"
    assert defang("go to evil.com") == f"go to evil.{HAIR}com"
    assert defang_name("PayPal <security@paypal.com>: verify") == f"PayPal security paypal.{HAIR}com : verify"
