"""The page in a real browser: what a person sees and does, and what a hostile mail cannot do."""

import asyncio
import re
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import expect

from authmail import Egress, Mailer, Message, Throttled
from authmail.sandbox import Sandbox
from authmail_aliyun_dm.emulator import DirectMailEmulator

ALIYUN = "aliyun-direct-mail"

expect.set_options(timeout=20_000)  # machines differ
pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def box():
    """A sandbox on the browser's loop."""
    async with Sandbox({ALIYUN: DirectMailEmulator()}) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def visit(chromium, box):
    """Open the page; every error of its scripts and every answer from elsewhere fails the test."""
    contexts, wrong = [], []

    async def opened(path="/", **options):
        context = await chromium.new_context(**{"locale": "en", "viewport": {"width": 1280, "height": 800}} | options)
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("response", lambda response: response.url.startswith(box.url) or wrong.append(response.url))
        await page.goto(box.url + path)
        return page

    yield opened
    for context in contexts:
        await context.close()
    assert wrong == []


def add(box, **fields):
    return box.inbox.add(**{"connector": ALIYUN, "sender": "Acme <a@b.c>", "to": ("zoe@example.com",), "subject": "s"} | fields)


async def test_a_mail_appears_with_its_code_in_large_type(box, visit, raw):
    """Sent over HTTP while the page is open; it shows mail, text, source, and what the provider was asked and answered."""
    page = await visit()
    await expect(page.get_by_role("heading", name="Waiting for the first mail")).to_be_visible()
    async with Mailer(ALIYUN, {**raw, "endpoint": box.endpoint(ALIYUN)}, egress=Egress.ANY) as mailer:
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "482913"}))
    code = page.locator("#code")
    await expect(code).to_have_text("482913")
    assert await code.evaluate("element => parseFloat(getComputedStyle(element).fontSize)") >= 38
    await expect(page.frame_locator("iframe").get_by_text("Hello, your SignIn code is 482913.")).to_be_visible()
    await page.get_by_role("tab", name="Text").click()
    await expect(page.get_by_role("tabpanel")).to_contain_text("Hello, your SignIn code is 482913.")
    await page.get_by_role("tab", name="Source").click()
    await expect(page.get_by_role("tabpanel")).to_contain_text("<b>482913</b>")
    beside = page.get_by_role("complementary")
    await expect(beside).to_contain_text("The provider took responsibility for the mail.")
    await expect(beside).to_contain_text("POST /")
    await expect(beside).to_contain_text('"EnvId"')
    await beside.get_by_text("Headers").click()
    await expect(beside).to_contain_text("SingleSendMail")
    assert re.search(r"Authorization\n\*\*\*\n", await beside.inner_text())
    assert "Signature=" not in await page.content()
    await expect(page.locator("#news")).to_have_text("accepted: 482913 for SignIn Code 4 8 2 9 1 3.")


async def test_the_code_is_copied(box, visit):
    """By the button, and by the key c."""
    page = await visit(permissions=["clipboard-read", "clipboard-write"])
    add(box, text="482913")
    await expect(page.locator("#code")).to_have_text("482913")
    await page.get_by_role("button", name="Copy").click()
    await expect(page.locator("#news")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == "482913"
    add(box, text="730164")
    await expect(page.locator("#code")).to_have_text("730164")
    await page.locator("body").press("c")
    await expect(page.locator("#news")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == "730164"
    add(box, text="https://example.com/join?t=Qx7")
    await expect(page.get_by_role("link", name="Open")).to_have_attribute("rel", "noopener noreferrer")
    await page.locator("body").press("c")
    await expect(page.locator("#news")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == "https://example.com/join?t=Qx7"


async def test_the_form_sends_a_test_message(visit):
    """Of a type and language, by the way of every message; what became of it is shown."""
    page = await visit()
    await page.get_by_role("banner").get_by_role("button", name="Send a test message").click()
    await page.get_by_label("Type", exact=True).select_option("Register")
    await page.get_by_label("Reader's language", exact=True).fill("fr")
    await page.get_by_label("Recipient", exact=True).fill("lea@example.com")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_role("heading", level=2)).to_contain_text("est votre code pour créer votre compte")
    await expect(page.locator("#code")).to_have_text(re.compile(r"^\d{6}$"))
    beside = page.get_by_role("complementary")
    await expect(beside).to_contain_text("Message id")
    await expect(beside).to_contain_text("lea@example.com")


async def test_a_failure_shows_outcome_reason_code_and_hint(visit):
    """Of a recipient that the form offers, with the request and the answer beside it."""
    page = await visit()
    await page.locator("body").press("n")
    await page.get_by_label("What happens", exact=True).select_option("quota")
    await expect(page.get_by_label("Recipient", exact=True)).to_have_value("quota@example.com")
    await page.get_by_label("Recipient", exact=True).press("Enter")
    detail = page.locator("#detail")
    for text in ("account", "InvalidQuota.Day", "quota", "No mail of this account will be until", "POST /", "400"):
        await expect(detail).to_contain_text(text)
    await expect(page.locator("#entries .badge")).to_have_text("account")
    await page.get_by_label("Mails", exact=True).check()
    await expect(page.get_by_text("Nothing of this kind.")).to_be_visible()


async def test_a_refused_form_says_why(visit):
    """The problem stays beside the fields."""
    page = await visit()
    await page.locator("body").press("n")
    await page.get_by_label("Recipient", exact=True).fill("  ")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_role("alert")).to_have_text("type and to are needed")


async def test_keys_walk_the_list(box, visit):
    """Arrows, j and k, Home and End; Enter goes to the message; Escape back to the newest; typing is left alone."""
    for number in range(3):
        add(box, subject=f"Mail {number}", text=f"48291{number}")
    page = await visit()
    await expect(page.locator("#code")).to_have_text("482912")
    body = page.locator("body")
    for key, code in (("j", "482911"), ("ArrowDown", "482910"), ("k", "482911"), ("Home", "482912"), ("End", "482910")):
        await page.keyboard.press(key)
        await expect(page.locator("#code")).to_have_text(code)
    await page.keyboard.press("Enter")
    await expect(page.locator("#detail")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#code")).to_have_text("482912")
    await body.press("n")
    await page.get_by_label("Recipient", exact=True).fill("jkc@example.com")
    await expect(page.get_by_label("Recipient", exact=True)).to_have_value("jkc@example.com")


async def test_a_small_screen_shows_list_or_message(box, visit):
    """Nothing is wider than 360 pixels; back leads to the list."""
    add(box, subject="A long subject " * 9, html=f"<p>482913 {'x' * 400}</p>", to=(f"{'z' * 60}@example.com",))
    page = await visit(viewport={"width": 360, "height": 740})
    fits = "document.documentElement.scrollWidth <= 360"
    await expect(page.locator("#entries a")).to_be_visible()
    assert await page.evaluate(fits)
    await expect(page.locator("#detail")).to_be_hidden()
    await page.locator("#entries a").click()
    await expect(page.locator("#code")).to_be_visible()
    await expect(page.locator("#entries")).to_be_hidden()
    assert await page.evaluate(fits)
    await page.get_by_role("link", name="‹ Messages").click()
    await expect(page.locator("#entries a")).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "words"), [("en-GB", "Send a test message"), ("fr-CA", "Envoyer un message d’essai"), ("zh-CN", "发送测试消息")]
)
async def test_the_page_speaks_the_readers_language(visit, locale, words):
    """The browser's, and another one by the switch, which is remembered."""
    page = await visit(locale=locale)
    await expect(page.locator("#compose")).to_have_text(words)
    await page.locator("#language").select_option("fr")
    await expect(page.locator("#compose")).to_have_text("Envoyer un message d’essai")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("lang", "fr")


async def test_the_page_survives_a_restart(visit, box, chromium, unused_tcp_port_factory):
    """It says that the sandbox is away, and shows the mails of the next one."""
    port = unused_tcp_port_factory()
    context = await chromium.new_context(locale="en")
    page = await context.new_page()
    async with Sandbox({}, port=port) as first:
        add(first, text="482913")
        await page.goto(first.url)
        await expect(page.locator("#code")).to_have_text("482913")
    await expect(page.get_by_text("The sandbox is not running.")).to_be_visible()
    async with Sandbox({}, port=port) as second:
        add(second, text="730164")
        await expect(page.locator("#code")).to_have_text("730164")
        await expect(page.locator("#entries a")).to_have_count(1)
        await expect(page.locator("#connection")).to_be_empty()
    await context.close()


# A hostile mail. The attacker has a server that counts what reaches it.


class Hits(list):
    """Paths that were asked for."""

    def __init__(self):
        self.came = asyncio.Event()

    async def wait(self, path):
        """Wait until one was."""
        async with asyncio.timeout(10):
            while not any(hit.startswith(path) for hit in self):
                self.came.clear()
                await self.came.wait()


@asynccontextmanager
async def attacker():
    """Give its address and the paths that were asked for; ``/bare/…`` is an attack as a page of its own."""
    hits = Hits()
    evil = ""

    async def hit(request):
        path = request.path
        hits.append(path)
        hits.came.set()
        if path.startswith("/bare/"):
            text = ATTACKS[path.removeprefix("/bare/")].format(evil=evil)
        else:  # what a link opens tries to lead the page away that it was opened from
            text = (
                "<script>for (const page of [opener, opener.top]) page.location = '/taken'</script>" if path == "/opened" else ""
            )
        return web.Response(text=text, content_type="text/html")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", hit)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    evil = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield evil, hits
    finally:
        await runner.cleanup()


#: Each would reach the attacker by itself, and say how in the path.
ATTACKS = {
    "script": "<script>fetch('{evil}/script')</script>",
    "onerror": "<img src=data:x onerror=\"fetch('{evil}/onerror')\">",
    "image": "<img src={evil}/image>",
    "stylesheet": "<link rel=stylesheet href={evil}/stylesheet>",
    "import": "<style>@import '{evil}/import';</style>",
    "background": "<p style='background:url({evil}/background)'>x</p>",
    "font": "<style>@font-face {{ font-family: f; src: url({evil}/font) }} p {{ font-family: f }}</style><p>x</p>",
    "frame": "<iframe src={evil}/frame></iframe>",
    "srcdoc": "<iframe srcdoc=\"<script>fetch('{evil}/srcdoc')</script>\"></iframe>",
    "object": "<object data={evil}/object></object><embed src={evil}/object>",
    "svg": "<svg onload=\"fetch('{evil}/svg')\"><image href={evil}/svg /></svg>",
    "refresh": "<meta http-equiv=refresh content='0;url={evil}/refresh'>",
    "base": "<base href={evil}/base/><img src=x>",
    "video": "<video autoplay src={evil}/video></video>",
    "submit": "<form id=f action={evil}/submit method=post></form><script>f.submit()</script>",
}


async def test_a_hostile_mail_reaches_nothing(box, visit, chromium):
    """Every attack does, where it is a page of its own; all of them in one mail do not."""
    async with attacker() as (evil, hits):
        context = await chromium.new_context()
        for attack in ATTACKS:
            bare = await context.new_page()
            await bare.goto(f"{evil}/bare/{attack}", wait_until="commit")
            await hits.wait(f"/{attack}")
        await context.close()
        hits.clear()
        add(box, html="<p>hostile</p>" + "".join(ATTACKS.values()).format(evil=evil))
        page = await visit()
        await expect(page.frame_locator("iframe").get_by_text("hostile")).to_be_visible()
        # It has had its time once another mail has come and been rendered.
        add(box, html="<p>innocent</p>")
        await expect(page.frame_locator("iframe").get_by_text("innocent")).to_be_visible()
        assert hits == []
        assert page.url == f"{box.url}/"


async def test_scripts_of_a_mail_reach_no_api(box, visit):
    """Deleting everything by script, form or link is tried, in the frame and where its address is opened by itself."""
    html = (
        "<p>hostile</p><script>fetch('/api/messages', {method: 'DELETE'}); parent.document.title = 'taken'</script>"
        "<form id=f action=/api/attempts method=post><button>Win</button></form>"
        "<a target=_top href=/api/messages>Top</a> <a target=_self href='javascript:alert(1)'>Run</a>"
    )
    mail = add(box, html=html)
    page = await visit()
    frame = page.frame_locator("iframe")
    await frame.get_by_role("button", name="Win").click()
    async with page.context.expect_page() as opened:
        await frame.get_by_role("link", name="Top").click()
    link = await opened.value
    await expect(link.locator("body")).to_contain_text("requests of other web pages are refused")
    await frame.get_by_role("link", name="Run").click()
    alone = await page.context.new_page()
    await alone.goto(f"{box.url}/mails/{mail.id}")
    await alone.get_by_role("button", name="Win").click()
    await expect(alone.get_by_text("hostile")).to_be_visible()
    assert await alone.evaluate("self.origin") == "null"
    assert (len(box.inbox), list(box.attempts), page.url) == (1, [], f"{box.url}/")
    await expect(page).to_have_title("authmail sandbox")


async def test_a_link_opens_in_a_new_tab_that_cannot_look_back(box, chromium):
    """Reset links are clicked all day; whatever they ask for, they have no opener and referrer, and the page stays."""
    async with attacker() as (evil, hits):
        wishes = ("", "target=_self", "target=_top rel=opener", "target=_parent", "target=x rel=opener")
        add(box, html="".join(f"<p><a {wish} href={evil}/opened>Reset</a>" for wish in wishes))
        # Its requests elsewhere are meant, so this page is not one of `visit`.
        context = await chromium.new_context(locale="en", viewport={"width": 1280, "height": 800})
        page = await context.new_page()
        await page.goto(box.url)
        links = page.frame_locator("iframe").get_by_role("link", name="Reset")
        await expect(links).to_have_count(len(wishes))
        for number in range(len(wishes)):
            async with context.expect_page() as opened:
                await links.nth(number).click()
            tab = await opened.value
            await tab.wait_for_load_state()
            assert await tab.evaluate("[opener, document.referrer, self.origin]") == [None, "", evil]
        await expect(links).to_have_count(len(wishes))
        assert (page.url, "/taken" in hits) == (f"{box.url}/", False)
        await context.close()


async def test_the_next_mails_to_a_provider_meet_a_fault(box, visit, raw):
    """Chosen on the page, with what comes of it; nothing of the mail says so."""
    page = await visit("/#settings")
    card = page.locator("section.card", has_text=ALIYUN)
    await card.get_by_text("Let the next mails meet a fault").click()
    await expect(card.get_by_role("status")).to_have_text("No fault is set.")
    await card.get_by_label("Fault").select_option("throttled")
    await expect(card).to_contain_text("A sender gets “throttled”; a delivery with several providers goes on to the next one.")
    await card.get_by_role("button", name="Set").click()
    await expect(card.get_by_role("status")).to_contain_text("throttled: this many mails")
    async with Mailer(ALIYUN, {**raw, "endpoint": box.endpoint(ALIYUN)}, egress=Egress.ANY) as mailer:
        message = Message("zoe@example.com", "SignIn", {"code": "482913"})
        with pytest.raises(Throttled):
            await mailer.send(message)
        assert (await mailer.send(message)).message_id
        await page.reload()
        await card.get_by_text("Let the next mails meet a fault").click()
        await card.get_by_label("Mails").fill("")
        await card.get_by_role("button", name="Set").click()
        await expect(card.get_by_role("status")).to_contain_text("until it is cleared")
        await card.get_by_role("button", name="Clear").click()
        await expect(card.get_by_role("status")).to_have_text("No fault is set.")
        assert (await mailer.send(message)).message_id
