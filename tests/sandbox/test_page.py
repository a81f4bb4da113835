import asyncio
import json
import re
from importlib.resources import files

import aiohttp
import html5lib
import pytest

from authmail import SendError, UsageType
from authmail.sandbox.exchanges import Ending
from authmail.sandbox.page import opening_outside

ALIYUN = "aliyun-direct-mail"
ASSETS = files("authmail.sandbox") / "assets"
SHARED = files("authmail.web") / "assets"
TEXTS = {name: (ASSETS / name).read_text("utf-8") for name in ("index.html", "page.js", "detail.js", "faults.js", "page.css")} | {
    name: (SHARED / name).read_text("utf-8") for name in ("words.js", "element.js", "base.css")
}
WORDS = json.loads((ASSETS / "words.json").read_text("utf-8"))


@pytest.fixture
async def ask(sandbox):
    """Ask the page's server; gives the reply with its text read."""
    async with aiohttp.ClientSession() as session:

        async def ask(method, path, **options):
            async with session.request(method, sandbox.url + path, **options) as reply:
                await reply.read()
                return reply

        yield ask


async def attempt(sandbox, ask, **values):
    """Send a test message and wait for its answer."""
    values = {"connector": ALIYUN, "type": "SignIn", "locale": "fr", "to": "zoe@example.com"} | values
    reply = await ask("POST", "/api/attempts", json=values)
    assert reply.status == 202, await reply.text()
    while sandbox.attempts.get((await reply.json())["id"]).answer is None:
        await sandbox.inbox.changes.next()
    return await (await ask("GET", f"/api/attempts/{(await reply.json())['id']}")).json()


# Words.


def test_every_language_has_every_word():
    """The same keys in each, none empty, and the same values to fill in."""
    english = WORDS["en"]
    assert list(WORDS) == ["en", "fr", "zh-CN"]
    for words in WORDS.values():
        assert list(words) == list(english)
        assert all(words.values())
        assert [set(re.findall(r"\{\w+\}", text)) for text in words.values()] == [
            set(re.findall(r"\{\w+\}", text)) for text in english.values()
        ]


def test_every_word_is_used_and_every_used_word_is_there():
    """By the page or its scripts; groups by what Python calls the outcomes and facts."""
    source = "".join(TEXTS.values())
    used = set(re.findall(r'data-word(?:-label)?="([^"]+)"', source)) | set(re.findall(r'["(]([a-z]+(?:\.[a-z]+)*)["]', source))
    groups = set(re.findall(r'wordOf\("(\w+)"', source))
    assert {key for key in WORDS["en"] if key not in used and key.partition(".")[0] not in groups} == set()
    assert set(re.findall(r'data-word(?:-label)?="([^"]+)"|\bword\("([^"]+)"', source)) - {(key, "") for key in WORDS["en"]} <= {
        ("", key) for key in WORDS["en"]
    }


def test_every_outcome_has_words():
    """Those of Python, and those that the page adds."""
    outcomes = {kind.outcome for kind in SendError.__subclasses__()}
    all_outcomes = outcomes | set(Ending) | {"accepted", "sending", "refused", "config"}
    assert {key.partition(".")[2] for key in WORDS["en"] if key.startswith("outcome.")} == all_outcomes
    assert {key.partition(".")[2] for key in WORDS["en"] if key.startswith("consequence.")} == outcomes | {"content"}


# What is served.


@pytest.mark.parametrize("path", ["/", *(f"/{name}" for name in [*TEXTS, "words.json", "icon.svg"] if name != "index.html")])
async def test_the_page_loads_nothing_from_elsewhere(ask, path):
    """Its policy allows none, and no file names another host."""
    reply = await ask("GET", path)
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", await reply.text()))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_scripts_never_parse_text_as_html():
    """A mail's subject stays text."""
    scripts = "".join(text for name, text in TEXTS.items() if name.endswith(".js"))
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|eval\(|new Function", scripts)
    assert not re.findall(r"<script(?![^>]*src=)|\son\w+=|style=", TEXTS["index.html"])


async def test_a_mails_html_has_a_policy_of_its_own(sandbox, ask):
    """No script, form or request, also where its address is opened by itself; 404 without HTML."""
    sandbox.inbox.add(connector=ALIYUN, sender="x", to=(), subject="s", html="<p>é</p>")
    sandbox.inbox.add(connector=ALIYUN, sender="x", to=(), subject="s", text="x")
    reply = await ask("GET", "/mails/1")
    assert await reply.text() == "<p>é</p>"
    policy = {part.split()[0]: part.split()[1:] for part in reply.headers["Content-Security-Policy"].split("; ")}
    assert not set(policy["sandbox"]) & {"allow-scripts", "allow-same-origin", "allow-forms", "allow-top-navigation"}
    assert (policy["default-src"], "script-src" in policy, policy["form-action"]) == (["'none'"], False, ["'none'"])
    assert [(await ask("GET", path)).status for path in ("/mails/2", "/mails/3")] == [404, 404]


@pytest.mark.parametrize(
    "html",
    [
        "<a href=x>y</a>",
        "<A\nHREF='x' target=_top rel=opener>y</A>",
        "<a/href=x target='_self'>y</a>",
        "<map><area href=x target=_parent></map>",
        "<svg><a href=x>y</a></svg>",
        "<p title='<a href='><a href=x target=_self>y</a>",
    ],
)
def test_links_open_outside(html):
    """As a browser's parser reads it: the first attribute counts."""
    tree = html5lib.parse(opening_outside(html), namespaceHTMLElements=False)
    links = [item for item in tree.iter() if isinstance(item.tag, str) and re.search(r"(^|\})(a|area)$", item.tag)]
    assert links
    assert all((link.get("target"), link.get("rel")) == ("_blank", "noreferrer") for link in links)


def test_other_elements_stay_as_they_are():
    """Whose names only begin alike."""
    html = "<abbr>a</abbr><article>b</article><address>c</address><a-b>d</a-b>"
    assert opening_outside(html) == html


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
    ],
)
@pytest.mark.parametrize("path", ["/api/messages", "/api/activity", "/api/attempts", "/mails/1"])
async def test_other_pages_reach_nothing(sandbox, ask, headers, path):
    """A mail's frame has the origin null; what it opens is of another site."""
    sandbox.inbox.add(connector=ALIYUN, sender="x", to=(), subject="s", html="x")
    for method in ("GET", "POST", "DELETE"):
        assert (await ask(method, path, headers=headers, json={})).status == 403
    assert len(sandbox.inbox) == 1


async def test_a_link_from_elsewhere_opens_the_page(ask):
    """And the page alone."""
    assert (await ask("GET", "/", headers={"Sec-Fetch-Site": "cross-site"})).status == 200


# The form.


@pytest.mark.parametrize("usage_type", UsageType)
@pytest.mark.parametrize("locale", ["en", "fr", "zh-CN", ""])
async def test_a_test_message_of_any_type_arrives(sandbox, ask, usage_type, locale):
    """By the very way of every message; its mail and exchange are linked to it."""
    done = await attempt(sandbox, ask, type=usage_type, locale=locale)
    assert (done["outcome"], done["exchanges"]) == ("accepted", [1])
    assert done["answer"]["message_id"].isdigit()
    (entry,) = (await (await ask("GET", "/api/activity")).json())["entries"]
    assert (entry["key"], entry["mails"], entry["to"], entry["type"]) == ("attempt-1", [1], "zoe@example.com", usage_type)
    mail = sandbox.inbox.get(1)
    assert mail.code or mail.link or usage_type == "Notice"


@pytest.mark.parametrize(
    ("to", "outcome", "reason", "code"),
    [
        ("spam@example.com", "account", "content", "InvalidSendMail.Spam"),
        ("throttled@example.com", "throttled", "rate", "Throttling.User"),
        ("crash@example.com", "unknown", "provider", "InternalError"),
        ("cut-after@example.com", "unknown", "network", "SignatureNonceUsed"),
        ("nobody", "rejected", "recipient", None),
    ],
)
async def test_what_became_of_it_is_told(sandbox, ask, to, outcome, reason, code):
    """Outcome, reason and code as the host would have them; also where the provider was not asked."""
    done = await attempt(sandbox, ask, to=to)
    assert (done["outcome"], done["answer"]["reason"], done["answer"]["code"]) == (outcome, reason, code)
    assert done["answer"]["hint"]
    assert bool(done["exchanges"]) is (to != "nobody")
    assert [entry["key"] for entry in (await (await ask("GET", "/api/activity")).json())["entries"]] == ["attempt-1"]


@pytest.mark.parametrize("usage_type", ["SignIn", "OrganizationInvitation"])
async def test_messages_to_one_address_are_told_apart(sandbox, ask, usage_type):
    """Those that are sent at the same time, and that of an application: by code or link."""
    values = {"connector": ALIYUN, "type": usage_type, "locale": "en", "to": "slow@example.com"}
    for _ in range(3):
        await ask("POST", "/api/attempts", json=values)
    while not all(attempt.answer for attempt in sandbox.attempts):
        await sandbox.inbox.changes.next()
    for attempt in sandbox.attempts:
        (number,) = attempt.exchanges
        assert sandbox.inbox.exchanges.get(number).holds(attempt.mark)


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        "x",
        {"connector": 1},
        {"connector": "nope", "type": "SignIn", "to": "a@b.c"},
        {"connector": ALIYUN, "type": "", "to": "a@b.c"},
        {"connector": ALIYUN, "type": "SignIn", "to": " "},
        {"connector": ALIYUN, "type": "SignIn", "to": "x" * 2000},
        {"connector": ALIYUN, "type": "SignIn", "to": {"a": "b"}},
    ],
)
async def test_a_wrong_form_is_refused(sandbox, ask, values):
    """With what would be right; nothing is sent."""
    reply = await ask("POST", "/api/attempts", json=values)
    assert (reply.status, list(sandbox.attempts)) == (400, [])
    assert (await reply.json())["error"]


async def test_a_form_post_of_a_foreign_page_is_refused(sandbox, ask):
    """Only JSON is read: a page can send a form without asking, JSON not."""
    text = json.dumps({"connector": ALIYUN, "type": "SignIn", "to": "a@b.c"})
    assert (await ask("POST", "/api/attempts", data=text, headers={"Content-Type": "text/plain"})).status == 400
    assert list(sandbox.attempts) == []


async def test_what_is_being_sent_ends_with_the_sandbox(sandbox, ask):
    """A recipient that brings no answer keeps nothing open."""
    await ask("POST", "/api/attempts", json={"connector": ALIYUN, "type": "SignIn", "to": "timeout@example.com"})
    while not len(sandbox.inbox):
        await sandbox.inbox.changes.next()
    (entry,) = (await (await ask("GET", "/api/activity")).json())["entries"]
    assert (entry["outcome"], entry["mails"], entry["exchanges"]) == ("sending", [1], [1])
    await asyncio.wait_for(sandbox.attempts.close(), 5)


async def test_the_form_knows_what_there_is(ask):
    """Connectors with settings and faults, all types, and the languages of the starter templates."""
    about = await (await ask("GET", "/api/sandbox")).json()
    assert (about["types"], about["locales"]) == (list(UsageType), ["en", "fr", "zh-CN"])
    (connector,) = about["connectors"]
    assert (connector["id"], connector["usable"]) == (ALIYUN, True)
    assert {"recipient": "quota", "help": "the daily quota is used up", "code": "InvalidQuota.Day"} in connector["faults"]


# Activity.


async def test_activity_is_told_when_it_changes(sandbox, ask):
    """A version that is known waits for the next change; 204 if there is none; another one answers at once."""
    version = (await (await ask("GET", "/api/activity")).json())["version"]
    assert (await ask("GET", "/api/activity", params={"version": version, "timeout": "0.05"})).status == 204
    waiting = asyncio.create_task(ask("GET", "/api/activity", params={"version": version, "timeout": "10"}))
    await asyncio.sleep(0.05)
    sandbox.inbox.add(connector=ALIYUN, sender="x", to=("zoe@example.com",), subject="s", text="482913")
    news = await (await waiting).json()
    assert [(entry["key"], entry["code"], entry["outcome"]) for entry in news["entries"]] == [("mail-1", "482913", "accepted")]
    assert (await ask("GET", "/api/activity", params={"version": "of-another-run", "timeout": "10"})).status == 200
    assert (await ask("GET", "/api/activity", params={"timeout": "61"})).status == 400


async def test_clearing_removes_everything(sandbox, ask):
    """Mails, exchanges and test messages; ids go on."""
    await attempt(sandbox, ask)
    await attempt(sandbox, ask, to="spam@example.com")
    assert len((await (await ask("GET", "/api/activity")).json())["entries"]) == 2
    assert (await ask("DELETE", "/api/messages")).status == 204
    assert (await (await ask("GET", "/api/activity")).json())["entries"] == []
    assert (await (await ask("GET", "/api/exchanges")).json()) == []
    assert (await attempt(sandbox, ask))["id"] == 3


async def test_an_exchange_can_be_asked_for(sandbox, ask, mailer):
    """By its id, which the mail has."""
    await mailer.test("zoe@example.com")
    mail = await (await ask("GET", "/api/messages/1")).json()
    assert mail["readable"].startswith("Hello")
    exchange = await (await ask("GET", f"/api/exchanges/{mail['exchange']}")).json()
    assert (exchange["parameters"]["ToAddress"], exchange["status"]) == ("zoe@example.com", 200)
    assert (await ask("GET", "/api/exchanges/9")).status == 404
