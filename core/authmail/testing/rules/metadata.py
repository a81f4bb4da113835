"""What a connector says of itself, and what it does while it is loaded."""

import asyncio
import json
import sys
from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Any
from xml.etree import ElementTree  # noqa: ICN001 (its own name says more than ET)

from authmail.config.secret import Secret
from authmail.config.settings import Settings, fields_of
from authmail.errors import ConnectorNotFound
from authmail.privacy import names_secret
from authmail.testing.case import Case
from authmail.testing.rules.rule import Rule


async def loads(case: Case) -> AsyncIterator[str]:
    """Load it."""
    try:
        _ = case.connector
    except ConnectorNotFound as error:
        yield str(error)


async def settings_class(case: Case) -> AsyncIterator[str]:
    """Look at the class."""
    kind = case.connector.metadata.settings
    if kind is None or not issubclass(kind, Settings):
        yield f"it is {kind!r}"


async def words(case: Case) -> AsyncIterator[str]:
    """Look for blanks."""
    metadata = case.connector.metadata
    for key, phrases in (("name", metadata.name), ("description", metadata.description)):
        for tag, text in phrases.items():
            if not text.strip():
                yield f"{key}.{tag} is empty"


async def logo(case: Case) -> AsyncIterator[str]:
    """Look at both logos."""
    metadata = case.connector.metadata
    if not metadata.logo:
        yield "there is none"
    for name, uri in (("logo", metadata.logo), ("logo-dark", metadata.logo_dark or "")):
        kind, _, data = uri.partition(";base64,")
        if kind == "data:image/svg+xml":
            for finding in _svg_findings(b64decode(data)):
                yield f"{name}.svg {finding}"
        elif kind == "data:image/png" and not b64decode(data).startswith(b"\x89PNG\r\n\x1a\n"):
            yield f"{name}.png is no PNG"


def _svg_findings(image: bytes) -> list[str]:
    if b"<!ENTITY" in image:
        return ["declares entities"]
    try:
        root = ElementTree.fromstring(image)  # noqa: S314 (without entities, from a package that is installed)
    except ElementTree.ParseError as error:
        return [f"is no SVG: {error}"]
    found = [] if root.tag.endswith("svg") else ["is no SVG"]
    for element in root.iter():
        names = [element.tag.rpartition("}")[2], *(key.rpartition("}")[2] for key in element.attrib)]
        if names[0] in ("script", "foreignObject") or any(name.startswith("on") for name in names[1:]):
            found.append(f"can run scripts: {names[0]}")
        if any("//" in value for value in element.attrib.values()):
            found.append(f"refers to another place: {names[0]}")
    return found


async def guide(case: Case) -> AsyncIterator[str]:
    """Look for the settings in it."""
    text = case.connector.metadata.readme("en")
    if not text:
        yield "there is none"
        return
    for item in case.connector.form_items:
        if f"`{item.key}`" not in text:
            yield f"it does not name `{item.key}`"


async def labels(case: Case) -> AsyncIterator[str]:
    """Look at the form items."""
    for item in case.connector.form_items:
        if not item.label.strip():
            yield f"{item.key} has no label"
        if (item.required or item.is_confidential) and not (item.description or item.placeholder or item.default_value):
            yield f"{item.key} has no help"


async def secrets(case: Case) -> AsyncIterator[str]:
    """Look for keys that sound like secrets."""
    for key, field, _ in fields_of(case.settings):
        options = (field.type, *getattr(field.type, "__args__", ()))
        if names_secret(key) and str in options and Secret not in options:
            yield f"{key} is a plain text"


async def conditions(case: Case) -> AsyncIterator[str]:
    """Compare the keys."""
    keys = {key for key, _, _ in fields_of(case.settings)}
    for item in case.connector.form_items:
        for condition in item.show_conditions:
            if condition["targetKey"] not in keys:
                yield f"{item.key} is shown by the setting {condition['targetKey']}, which there is not"
    for key in case.connector.metadata.translations:
        if key not in keys:
            yield f"metadata.json translates the setting {key}, which there is not"


async def quiet(case: Case) -> AsyncIterator[str]:
    """Do it in a process that watches."""
    for event in (await case.once("import", lambda: _probe(case)))["events"]:
        yield event


async def light(case: Case) -> AsyncIterator[str]:
    """Look which modules were loaded in that process."""
    for name in (await case.once("import", lambda: _probe(case)))["loaded"]:
        yield f"{name} was loaded"


async def _probe(case: Case) -> Any:
    asked = {"id": case.connector.id, "config": case.config, "path": [entry for entry in sys.path if entry]}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "authmail.testing.import_probe"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, trouble = await process.communicate(json.dumps(asked).encode())
    if process.returncode:
        return {"events": [f"it ended the process: {trouble.decode()[-500:]}"], "loaded": []}
    return json.loads(output)


RULES = (
    Rule(
        "metadata.loads",
        "The connector is installed, and core accepts its hooks and metadata.",
        "Read the reason; `authmail connectors` shows it too. A package in work is installed with `pip install -e .`.",
        loads,
        basic=True,
    ),
    Rule(
        "metadata.settings",
        "metadata.settings is a settings class: form items, JSON Schema and the config to fill in come from it.",
        "Derive the class from Settings, decorate it with @settings, and give it to ConnectorMetadata.load(…, settings=…).",
        settings_class,
        basic=True,
    ),
    Rule(
        "metadata.words",
        "Name and description are not empty in any language.",
        "Fill them in in metadata.json, or leave the language out.",
        words,
    ),
    Rule(
        "metadata.logo",
        "There is a logo that an admin page can show: a PNG, or an SVG without scripts and addresses of others.",
        "Put logo.svg or logo.png beside metadata.json; draw everything in the file itself.",
        logo,
    ),
    Rule(
        "metadata.guide",
        "There is a guide in English that names every setting.",
        "Write README.md beside metadata.json: where to get the values, and each key between `backticks`.",
        guide,
    ),
    Rule(
        "metadata.labels",
        "Every setting has a label, and what must be filled in says where to find it.",
        'Give setting("Label", help="Console > Keys").',
        labels,
    ),
    Rule(
        "metadata.secrets",
        "Every setting that holds a secret is of the type Secret: forms mask it, and it never shows.",
        "Change the type of the setting to Secret, and read it with .reveal() where it is used.",
        secrets,
    ),
    Rule(
        "metadata.conditions",
        "What metadata.json and show_if say of settings is about settings that exist.",
        "Correct the key, or delete the entry.",
        conditions,
    ),
    Rule(
        "import.quiet",
        "Import, metadata and validation do no I/O but reading the package's own files.",
        "Move it into send_message, open_client or check_account; hosts list connectors and check configs anywhere.",
        quiet,
    ),
    Rule(
        "import.light",
        "Import, metadata and validation load no HTTP or SMTP client.",
        "Import it within the function that uses it, or under TYPE_CHECKING; `http` comes without an import.",
        light,
    ),
)
