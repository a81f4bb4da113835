"""Write docs/conformance-rules.md from the kit's rules, or with ``--check`` say whether it is current."""

import sys
from pathlib import Path

from authmail.testing.rules import RULES
from authmail.testing.rules.rule import Rule

PATH = Path(__file__).parents[1] / "docs" / "conformance-rules.md"
HEAD = """\
# Conformance rules

What `authmail.testing.ConnectorConformance` asks of every connector; see [writing-a-connector.md](writing-a-connector.md). This page
is written by `.ci/rules_page.py` from the rules themselves; the last column says for which connectors each holds. While a **basic**
rule is broken, nothing else is judged.

| Rule | What must be so | What to do where it is not | For |
| --- | --- | --- | --- |
"""


def row(rule: Rule) -> str:
    """Return the line of a rule."""
    name = f"`{rule.id}`" + (" **basic**" if rule.basic else "")
    cells = (name, rule.says, rule.do, ", ".join(kind.upper() for kind in rule.kinds))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def main() -> None:
    """Write the page, or check it."""
    current = HEAD + "".join(map(row, RULES))
    if PATH.exists() and PATH.read_text("utf-8") == current:
        return
    if "--check" in sys.argv[1:]:
        raise SystemExit("docs/conformance-rules.md is stale; run .ci/rules_page.py")
    PATH.write_text(current, "utf-8")


if __name__ == "__main__":
    main()
