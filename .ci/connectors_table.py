"""Write the README's table of connectors from their metadata, or with ``--check`` say whether it is current.

Every fact comes from the connectors themselves: names and idempotency from metadata.json, the rest from the settings class
and the hooks.
"""

import json
import sys
from importlib.metadata import entry_points
from pathlib import Path

import authmail
from authmail.config.settings import fields_of, holds_templates

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "metadata" / "authmail_metadata"
BEGIN, END = "<!-- connectors: written by .ci/connectors_table.py -->\n", "<!-- connectors end -->\n"
HEADING = ["Connector", "Id", "Target", "Templates", "After no answer", "Online check", "Sandbox", "Guide"]


def table() -> str:
    """Return the table, Markdown."""
    data = {}
    for path in FOLDER.glob("*/metadata.json"):
        metadata = json.loads(path.read_text("utf-8"))
        data[metadata["id"]] = (path.parent.name, metadata)
    ids = sorted(
        point.name for point in entry_points(group="authmail.connectors") if point.dist and point.dist.name == "authmail"
    )
    rows = [HEADING, ["---"] * len(HEADING), *(row(authmail.get_connector(name), *data[name]) for name in ids)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def row(connector: authmail.Connector, folder: str, metadata: dict[str, str]) -> list[str]:
    """Return the cells of one connector."""
    ours = any(holds_templates(field.type) for _, field, _ in fields_of(connector.metadata.settings or authmail.Settings))
    guides = [f"[{tag}](metadata/authmail_metadata/{folder}/README{'' if tag == 'en' else f'.{tag}'}.md)"
              for tag in sorted(connector.metadata.readmes, key=lambda tag: (tag != "en", tag))]  # fmt: skip
    return [
        connector.metadata.name["en"],
        f"`{connector.id}`",
        f"`{connector.target}`",
        "authmail's" if ours else "the receiver's",
        metadata.get("idempotency", "not repeated"),
        "yes" if connector.implements("check_account") else "no",
        "yes" if connector.implements("get_emulator") else "no",
        ", ".join(guides),
    ]


def main() -> None:
    """Write the table, or check it."""
    path = ROOT / "README.md"
    text = path.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    current = before + BEGIN + table() + END + after
    if current == text:
        return
    if "--check" in sys.argv[1:]:
        raise SystemExit("README.md: the table of connectors is stale; run .ci/connectors_table.py")
    path.write_text(current, "utf-8")


if __name__ == "__main__":
    main()
