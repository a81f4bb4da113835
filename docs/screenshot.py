"""Make docs/images/inbox.png, the picture of the sandbox's page in the README.

Run it with ``.venv/bin/python docs/screenshot.py``. It needs Debian's chromium and a font with Chinese characters
(fonts-noto-cjk).
"""  # noqa: INP001 (a script)

import argparse
import asyncio
import shutil
from pathlib import Path

from playwright.async_api import async_playwright

from authmail import Egress, Mailer, get_connector
from authmail.cli.demo import MESSAGES
from authmail.sandbox import Sandbox
from authmail.templates.samples import starter_templates

_IMAGE = Path(__file__).parent / "images" / "inbox.png"


async def take(path: Path, *, width: int, height: int, scheme: str, locale: str, to: str) -> None:
    """Take a picture of the page with the demo's mails.

    Args:
        path: of the PNG.
        width: of the window, in pixels.
        height: the same.
        scheme: ``light`` or ``dark``.
        locale: the reader's language.
        to: recipient of the mail that is shown.
    """
    connector = get_connector("aliyun-dm")
    async with Sandbox({connector.id: connector.get_emulator()}) as sandbox, async_playwright() as playwright:
        async with Mailer(connector, sandbox.config(connector.id), templates=starter_templates(), egress=Egress.ANY) as mailer:
            for message in MESSAGES:
                await mailer.send(message)
        sandbox.attempts.start(connector.id, sandbox.config(connector.id), "SignIn", "en", "throttled@example.com")
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--disable-gpu"])
        page = await browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            locale=locale,
        )
        await page.goto(sandbox.url)
        await page.click(f"#entries a:has-text('{to}')")
        await page.frame_locator("iframe").locator("p").first.wait_for()
        await page.wait_for_load_state("load")
        await page.screenshot(path=path)
        await browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Take a picture of the sandbox's page.")
    parser.add_argument("--path", type=Path, default=_IMAGE)
    parser.add_argument("--width", type=int, default=1180)
    parser.add_argument("--height", type=int, default=660)
    parser.add_argument("--scheme", choices=["light", "dark"], default="light")
    parser.add_argument("--locale", default="en")
    parser.add_argument("--to", default="zoe@example.com")
    options = vars(parser.parse_args())
    asyncio.run(take(**options))
