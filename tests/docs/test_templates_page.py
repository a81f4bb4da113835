"""docs/templates.md: its tables show what really comes out."""

import json
import re
from pathlib import Path

import pytest

from authmail import Mailer, Message, Template, TemplateError
from authmail.templates.samples import sample_payload
from authmail.templates.template import KNOWN_KEYS

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text("utf-8")
CONFIG = {"accessKeyId": "key", "accessKeySecret": "secret", "accountName": "no-reply@acme.example"}
CONFIGURED = "(configured)"


def rows(heading):
    """The rows of each table with this heading, its cells without the marks of code."""
    tables = re.findall(rf"^{re.escape(heading)}\n\|[-| ]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert tables, heading
    lines = [line for table in tables for line in table.splitlines()]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def plain(cell):
    return "" if cell == "(empty)" else cell.removeprefix("`").removesuffix("`")


async def previewed(template, payload, usage_type="Word"):
    return await Mailer("aliyun-dm", CONFIG, templates=[template]).preview(Message("zoe@example.com", usage_type, payload))


def shown(text):
    return json.dumps(text, ensure_ascii=False)[1:-1]


@pytest.mark.parametrize(("text", "payload", "html", "subject"), rows("| Template | Payload | In HTML | In subject and text |"))
async def test_placeholders(text, payload, html, subject):
    """Template and payload give what the table says, in HTML, subject and text."""
    text, payload = plain(text), json.loads(plain(payload))
    if html == "`TemplateError`":
        with pytest.raises(TemplateError):
            await previewed(Template("Word", "a subject", text), payload)
        return
    email = await previewed(Template("Word", text, text, text=text), payload)
    assert [shown(part) for part in (email.html, email.subject, email.text)] == [plain(html), plain(subject), plain(subject)]


@pytest.mark.parametrize(("send_from", "payload", "name", "address"), rows("| sendFrom | Payload | Name | Address |"))
async def test_senders(send_from, payload, name, address):
    """Name and address, each the template's or the configured one."""
    template = Template("Word", "s", "c", send_from=plain(send_from))
    email = await previewed(template, json.loads(plain(payload)))
    assert (email.from_name or CONFIGURED) == plain(name)
    assert (str(email.from_address) if email.from_address else CONFIGURED) == plain(address)


@pytest.mark.parametrize(("there", "message", "serves"), rows("| Templates there are | Message | Serves |"))
async def test_choice(there, message, serves):
    """Type first, then language."""
    templates = []
    for words in re.findall(r"`([^`]+)`", there):
        usage_type, _, locale = words.partition(" ")
        content = "{{link}}" if usage_type == "OrganizationInvitation" else "{{code}}"
        templates.append(Template(usage_type, words, content, locale=locale or None))
    usage_type, locales = re.findall(r"`([^`]+)`", message)
    asked = Message("zoe@example.com", usage_type, sample_payload(usage_type) | {"uiLocales": locales})
    mailer = Mailer("aliyun-dm", CONFIG, templates=templates)
    if plain(serves) == "TemplateError":
        with pytest.raises(TemplateError):
            await mailer.preview(asked)
    else:
        assert (await mailer.preview(asked)).subject == plain(serves)


def test_every_key_is_listed():
    """In the first table; the two second spellings are for files of others."""
    listed = {plain(row[0]) for row in rows("| JSON | Python | What |")}
    assert listed == set(KNOWN_KEYS) - {"type", "languageTag"}
