import asyncio

import pytest

from authmail.sandbox import Inbox, ReceivedMail


def add(inbox, to="zoe@example.com", subject="s", **fields):
    return inbox.add(connector="c", sender="x", to=(to,), subject=subject, **fields)


def test_keeps_the_newest():
    """Bounded; ids go on."""
    inbox = Inbox(limit=2)
    for number in range(3):
        add(inbox, subject=str(number))
    assert [(mail.id, mail.subject) for mail in inbox] == [(2, "1"), (3, "2")]
    assert inbox.get(1) is None
    assert inbox.delete(2)
    assert not inbox.delete(2)
    inbox.clear()
    assert (len(inbox), add(inbox).id) == (0, 4)


def test_finds_by_recipient():
    """Whatever the case."""
    inbox = Inbox()
    add(inbox, "Zoe@Example.com")
    add(inbox, "sam@example.com")
    assert [mail.id for mail in inbox.messages("zoe@example.com")] == [1]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"text": "Your code is 482913."}, "482913"),
        ({"html": '<p style="color:#123456">Since 2019: <b>482913</b></p>'}, "482913"),
        ({"subject": "482913 is your code", "html": "<p>x</p>"}, "482913"),
        ({"text": "Code: 4829"}, "4829"),
        ({"text": "Code: K7Q2MX"}, "K7Q2MX"),
        ({"text": "See https://x.y/123456?code=654321"}, None),
        ({"text": "Hello WORLD 1.5"}, None),
        ({"text": "您的验证码是482913，10分钟内有效。"}, "482913"),
        ({"text": "验证码：482913"}, "482913"),
        ({"text": "Ваш код482913."}, "482913"),
        ({"text": "Code:482913"}, "482913"),
        ({"text": "482913, valid for 10 minutes"}, "482913"),
        ({"text": "See the HTML part", "html": "<b>482913</b>"}, "482913"),
        ({"text": "Your code: K7Q2MX\n© 2026 Acme"}, "K7Q2MX"),
        ({"text": "© 2026 Acme\nCode: 4829"}, "4829"),
        ({"html": "<p>Join us</p><p>© Acme 2026</p>"}, None),
        ({"text": "Your code is 2019."}, "2019"),
        ({"text": "Call 0612345678 or +33612345678"}, None),
        ({"text": "1,482,913 or 482,913 or 482913% or $482913 or 482913.50 or ORD-482913"}, None),
        ({"html": '<style>.a{width:482913px}</style><p style="color:#482913">x</p>'}, None),
    ],
)
def test_finds_the_code(fields, code):
    """Six digits first; any script around it; nothing from colours, links, words, amounts, telephones and years."""
    assert add(Inbox(), **fields).code == code


@pytest.mark.parametrize(
    ("fields", "link"),
    [
        ({"html": '<a href="https://x.y/z?a=1&amp;b=2">x</a>'}, "https://x.y/z?a=1&b=2"),
        ({"text": "Open (https://x.y/z)."}, "https://x.y/z"),
        ({"text": "none"}, None),
        ({"text": "请打开https://x.y/z。"}, "https://x.y/z"),
        ({"text": "https://x.y/text", "html": '<a href="https://x.y/html">x</a>'}, "https://x.y/text"),
        ({"text": "none here", "html": '<a href="https://x.y/html">x</a>'}, "https://x.y/html"),
        ({"html": "<a class=b href='https://x.y/a_(b)'>x</a>"}, "https://x.y/a_(b)"),
        ({"html": "<a href=HTTPS://x.y/z>x</a>"}, "HTTPS://x.y/z"),
        ({"html": '<a href="mailto:help@x.y">x</a> <a data-href="https://x.y/no" href="https://x.y/z">x</a>'}, "https://x.y/z"),
        ({"html": "<p>Open https://x.y/z now</p>"}, "https://x.y/z"),
        (
            {
                "html": '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1.dtd">'
                '<html xmlns="http://www.w3.org/1999/xhtml"><link rel="stylesheet" href="https://x.y/font.css">'
                '<style>@import url(https://x.y/more.css)</style><img src="https://x.y/logo.png"><p>Hello</p></html>'
            },
            None,
        ),
    ],
)
def test_finds_the_link(fields, link):
    """The first one that a person can open, as a browser would; no doctype, stylesheet or image."""
    assert add(Inbox(), **fields).link == link


@pytest.mark.parametrize("part", ["1", "A", "https://", "<a ", "<a href=", "<", "\n", "2019 ", "1,"])
def test_nonsense_is_read_to_its_end(part):
    """A large mail of one thing repeated is searched in one pass, or this would not end."""
    mail = add(Inbox(), text=part * 50_000, html=part * 50_000)
    assert (mail.code, "x" in str(mail.link)) == (None, False)


def test_reads_a_mail_once():
    """Lists are asked for again and again; the mail stays the same."""
    mail = add(Inbox(), html="<b>482913</b>")
    assert mail.code is mail.code
    assert mail == ReceivedMail(**{field: getattr(mail, field) for field in mail.to_dict() if field not in ("code", "link")})


async def test_waits_for_a_mail():
    """One that is there already, or the next one, for this recipient alone."""
    inbox = Inbox()
    add(inbox, "sam@example.com")
    waiting = asyncio.create_task(inbox.wait(to="ZOE@example.com"))
    await asyncio.sleep(0)
    add(inbox, "other@example.com")
    await asyncio.sleep(0)
    assert not waiting.done()
    mail = add(inbox)
    assert await waiting is mail
    assert await inbox.wait(after=1) is inbox.get(2)


async def test_many_may_wait_and_one_may_give_up():
    """A cancelled waiter takes nothing away from the others."""
    inbox = Inbox()
    tasks = [asyncio.create_task(inbox.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    mail = add(inbox)
    assert await asyncio.gather(*tasks[1:]) == [mail, mail]


async def test_no_mail_is_a_timeout_that_says_what_was_awaited():
    """So that a failed test tells something."""
    with pytest.raises(TimeoutError, match="no mail to zoe@example.com after id 0 within 0.01 seconds"):
        await Inbox().wait(to="zoe@example.com", timeout=0.01)


def test_mails_become_json():
    """With code and link."""
    mail = add(Inbox(), text="482913 https://x.y")
    assert isinstance(mail, ReceivedMail)
    data = mail.to_dict()
    assert (data["code"], data["link"], data["to"]) == ("482913", "https://x.y", ["zoe@example.com"])


def test_a_code_in_groups_of_letters_is_found():
    """As django-allauth writes it: on a line of its own, groups of letters and a hyphen."""
    inbox = Inbox()
    text = "Your sign-in code is listed below. Please enter it in your open browser window.\n\nWWGD-MVBP\n\nIgnore this mail otherwise."
    inbox.add(connector="x", sender="a@b.c", to=("zoe@example.com",), subject="Sign-In Code", text=text)
    assert next(iter(inbox)).code == "WWGD-MVBP"
