"""authmail new-connector."""

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from authmail import connectors
from authmail.cli.output import echo, print_json

_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
# The files are a connector to Acme; these words in them become others. The longest come first.
_WORDS = re.compile(r"authmail[-_]acme|acme-mail|Acme|acme")
# Not .py, so that nobody takes them for modules of authmail.
_ENDING = ".txt"


@click.command("new-connector", short_help="Write a package to begin a connector with.")
@click.argument("identity", metavar="ID")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", help="What people call the provider; made from the id by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the files as JSON.")
def new_connector(identity: str, folder: Path, name: str | None, as_json: bool) -> None:
    """Write a package to begin a connector with: one that works, for a provider that does not exist.

    ID is the factory id, lower-case words joined by hyphens, such as acme-mail; hosts store it, so choose it once. The
    package has an emulator of its provider, and tests that pass: change what is marked with CHANGE, the emulator and the
    exchanges to what your provider's pages say, and let the tests tell what is still wrong. Nothing is overwritten.

    \b
    Example:
      authmail new-connector acme-mail authmail-acme --name Acme
    """
    _check_names(identity, name)
    written = package_files(identity, name)
    _write(folder, written)
    if as_json:
        print_json({"folder": str(folder), "files": sorted(written)})
        return
    echo(f"{len(written)} files in {folder}:")
    for path in sorted(written):
        echo(f"  {path}")
    echo(_NEXT.format(folder=folder, identity=identity))


_NEXT = """
Next:
  cd {folder}
  python3 -m venv .venv && . .venv/bin/activate
  pip install /where/your/copy/of/authmail/is
  pip install -e '.[dev]'
  pytest                         every rule of a connector, against the files in tests/exchanges
  authmail info {identity}

Then change the files to what your provider's pages say. The guide: docs/writing-a-connector.md"""


def _check_names(identity: str, name: str | None) -> None:
    if not _ID.fullmatch(identity):
        raise click.UsageError("ID must be lower-case words joined by hyphens, such as acme-mail")
    if name is not None and (not name.strip() or not name.isprintable() or set(name) & set('"\\{}<>&`')):
        raise click.UsageError("--name must be words without quotes and brackets")
    if any(identity == connector.id for connector in connectors() if connector.distribution == "authmail"):
        raise click.UsageError(f"{identity} is one of authmail's own connectors, which would win; choose another ID")


def _write(folder: Path, texts: dict[str, str]) -> None:
    """Write every file, or none if one of them is there already."""
    there = [path for path in texts if (folder / path).exists()]
    if there:
        raise click.ClickException(f"{folder / there[0]} is there already; nothing was written")
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")


def package_files(identity: str, name: str | None = None) -> dict[str, str]:
    """Return path → text of a new connector's package.

    Args:
        identity: factory id, ``acme-mail``.
        name: what people call the provider; by default made from the id.
    """
    target = identity.removesuffix("-mail")
    name = name or target.replace("-", " ").title()
    words = {
        "authmail_acme": f"authmail_{target.replace('-', '_')}",
        "authmail-acme": f"authmail-{target}",
        "acme-mail": identity,
        "acme": target,
        "Acme": name,
    }

    def word(match: re.Match[str]) -> str:
        before, after = match.string[: match.start()], match.string[match.end() : match.end() + 1]
        if match[0] == "acme" and before.endswith("_"):
            return target.replace("-", "_")
        if match[0] == "Acme" and (after.isupper() or before.endswith("Test")):  # within an identifier
            plain = re.sub(r"[^A-Za-z0-9]", "", name)
            return plain if plain[:1].isupper() else "".join(part.capitalize() for part in target.split("-"))
        return words[match[0]]

    return {_WORDS.sub(word, path): _WORDS.sub(word, text) for path, text in _texts(files("authmail.cli") / "connector_files")}


def _texts(folder: Traversable, path: str = "") -> list[tuple[str, str]]:
    found = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found += _texts(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(_ENDING):
            found.append((f"{path}{entry.name.removesuffix(_ENDING)}", entry.read_text("utf-8")))
    return found
