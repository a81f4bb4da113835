"""Write the tables of connectors from their metadata, or with ``--check`` say whether they are current.

One stands in the README, for whoever looks for a connector; one in docs/providers.md, for whoever compares providers. Every fact
comes from the connectors themselves: names, idempotency, rate and facts from metadata.json, the rest from the settings class and the
hooks.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, get_args

import authmail
from authmail.config.settings import fields_of, holds_templates

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "metadata" / "authmail_metadata"
BEGIN, END = "<!-- connectors: written by .ci/connectors_table.py -->\n", "<!-- connectors end -->\n"
HEADING = ["Connector", "Id", "Target", "Templates", "After no answer", "Online check", "Sandbox", "Guide"]
FACTS = ["Provider", "Regions", "Authentication", "After no answer", "Templates", "Click and open tracking", "Account check", "Mails a second", "Limits"]  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A connector, the folder of its metadata, and what metadata.json says."""

    connector: authmail.Connector
    folder: str
    metadata: dict[str, Any]

    @property
    def guides(self) -> str:
        """Links to the guides, English first."""
        tags = sorted(self.connector.metadata.readmes, key=lambda tag: (tag != "en", tag))
        return ", ".join(
            f"[{tag}](metadata/authmail_metadata/{self.folder}/README{'' if tag == 'en' else f'.{tag}'}.md)" for tag in tags
        )

    @property
    def templates(self) -> str:
        """Who writes the mail."""
        kinds = [str(field.type) for _, field, _ in self.fields if holds_templates(field.type)]
        at_provider = " or the provider's" if any("ProviderTemplate" in kind for kind in kinds) else ""
        return f"authmail's{at_provider}" if kinds else "the receiver's"

    @property
    def fields(self) -> list[tuple[str, Any, Any]]:
        """The settings."""
        return list(fields_of(self.connector.metadata.settings or authmail.Settings))

    @property
    def regions(self) -> str:
        """What there is to choose from, or that it is free text."""
        [region] = [field for name, field, _ in self.fields if name.lower().startswith("region")] or [None]
        if region is None:
            return "one"
        return ", ".join(f"`{value}`" for value in get_args(region.type)) or "any of the provider's"

    def connector_cells(self) -> list[str]:
        """Return the cells of the README's row."""
        return [
            self.connector.metadata.name["en"],
            f"`{self.connector.id}`",
            f"`{self.connector.target}`",
            self.templates,
            self.metadata.get("idempotency", "not repeated"),
            "yes" if self.connector.implements("check_account") else "no",
            "yes" if self.connector.implements("get_emulator") else "no",
            self.guides,
        ]

    def provider_cells(self) -> list[str]:
        """Return the cells of the row in docs/providers.md."""
        facts = self.metadata["facts"]
        return [
            f"[{self.connector.metadata.name['en']}](../metadata/authmail_metadata/{self.folder}/README.md)",
            self.regions,
            facts["authentication"],
            self.metadata.get("idempotency", "not repeated"),
            self.templates,
            facts["tracking"],
            "yes" if self.connector.implements("check_account") else "no",
            f"{rate:g}" if (rate := self.connector.metadata.rate) else "none published",
            facts["limits"],
        ]


def rows() -> list[Row]:
    """Return authmail's own connectors by their ids."""
    data = {}
    for path in FOLDER.glob("*/metadata.json"):
        metadata = json.loads(path.read_text("utf-8"))
        data[metadata["id"]] = (path.parent.name, metadata)
    ids = sorted(
        point.name for point in entry_points(group="authmail.connectors") if point.dist and point.dist.name == "authmail"
    )
    return [Row(authmail.get_connector(name), *data[name]) for name in ids]


def table(heading: list[str], cells: Iterable[list[str]]) -> str:
    """Return a table, Markdown."""
    return "".join(f"| {' | '.join(line)} |\n" for line in (heading, ["---"] * len(heading), *cells))


def main() -> None:
    """Write the tables, or check them."""
    found = rows()
    written = {
        "README.md": table(HEADING, (row.connector_cells() for row in found)),
        "docs/providers.md": table(FACTS, (row.provider_cells() for row in found)),
    }
    for name, rendered in written.items():
        path = ROOT / name
        text = path.read_text("utf-8")
        before, _, rest = text.partition(BEGIN)
        _, _, after = rest.partition(END)
        current = before + BEGIN + rendered + END + after
        if current == text:
            continue
        if "--check" in sys.argv[1:]:
            raise SystemExit(f"{name}: the table of connectors is stale; run .ci/connectors_table.py")
        path.write_text(current, "utf-8")


if __name__ == "__main__":
    main()
