"""Make docs/images/names.png: ordinary names, as they were typed and as a mail shows them.

Run it with ``.venv/bin/python docs/names.py``. It needs Debian's chromium and fonts for the scripts (fonts-noto).
"""  # noqa: INP001 (a script)

import asyncio
import json
import shutil
from html import escape
from pathlib import Path

from playwright.async_api import async_playwright

from authmail import Mailer, Message, Template

_ROOT = Path(__file__).parents[1]
_NAMES = _ROOT / "tests" / "vectors" / "hosts" / "names.json"
_IMAGE = _ROOT / "docs" / "images" / "names.png"
_CONFIG = {"accessKeyId": "key", "accessKeySecret": "secret", "accountName": "no-reply@acme.example"}
#: Beside them, what would be a link, an address or a number to call.
_ATTEMPTS = ("Your account is locked: evil.com/x", "PayPal <security@paypal.com>", "Call +1 800 555 0199", "https://evil.example")

_PAGE = """<!doctype html><meta charset="utf-8"><style>
body{{margin:0;padding:24px 28px;width:704px;font:15px/1.35 system-ui,"Noto Sans",sans-serif;color:#1b1b1f;background:#fff}}
table{{border-collapse:collapse;width:100%}} td,th{{padding:5px 10px 5px 0;text-align:left;border-bottom:1px solid #e6e6ea;width:44%}}
td:first-child,th:first-child{{width:12%;color:#6b6b76}} th{{font-weight:600;color:#6b6b76}} .a td{{color:#9c2c13}}
</style><table><tr><th></th><th>As typed</th><th>In the mail</th></tr>{rows}</table>"""


async def _rows() -> str:
    mailer = Mailer("aliyun-dm", _CONFIG, templates=[Template("Word", "{{name.typed}}", "<bdi>{{name.typed}}</bdi>")])
    named = [("", entry["script"], entry["name"]) for entry in json.loads(_NAMES.read_text("utf-8"))["names"]]
    rows = ""
    for kind, script, typed in [*named, *(("a", "attempt", attempt) for attempt in _ATTEMPTS)]:
        email = await mailer.preview(Message("zoe@example.com", "Word", {"name": {"typed": typed}}))
        rows += f'<tr class="{kind}"><td>{script}</td><td><bdi>{escape(typed)}</bdi></td><td>{email.html}</td></tr>'
    return rows


async def take(path: Path) -> None:
    """Take the picture."""
    page_text = _PAGE.format(rows=await _rows())
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--disable-gpu"])
        page = await browser.new_page(viewport={"width": 760, "height": 400})
        await page.set_content(page_text)
        await page.screenshot(path=path, full_page=True)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(take(_IMAGE))
