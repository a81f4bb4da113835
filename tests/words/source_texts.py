"""Which texts for people stand in the source: what the catalogs must have."""

import ast
from collections.abc import Iterator
from pathlib import Path

#: Function → which of its positional arguments are texts for people.
_ARGUMENTS = {
    "say": (0,),
    "Meaning": (2,),
    "Problem": (1, 2),
    "ValueError": (0, 1),
    "_row": (6,),
    "_too_long": (0,),
    "_refuse": (1,),
}
#: Where a ValueError is a problem of a config, and not of whoever called a function.
_CONFIGS = (
    "config",
    "login",
    "checks",
    "reading",
    "settings",
    "mailbox",
    "template",
    "folder",
    "headers",
    "custom_headers",
    "mail",
    "secrets",
)
_NAMES = ("hint", "message", "problem", "what", "english", "outcome", "_consequence")


def texts_in(file: Path) -> set[str]:
    """Return the English texts of a module, with their placeholders."""
    tree = ast.parse(file.read_text("utf-8"))
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = {text for node in ast.walk(tree) for text in _of(node, file, constants)}
    return {text for text in found if any(map(str.isalpha, text))}


def _of(node: ast.AST, file: Path, constants: dict[str, ast.expr]) -> Iterator[str]:
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name == "ValueError" and file.stem not in _CONFIGS:
            return
        for position in _ARGUMENTS.get(name, ()):
            if position < len(node.args):
                yield from _strings(node.args[position], constants)
        yield from (text for word in node.keywords if word.arg == "hint" for text in _strings(word.value, constants))
    elif isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id in _NAMES for target in node.targets):
        yield from _strings(node.value, constants)


def _strings(node: ast.expr, constants: dict[str, ast.expr]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _strings(node.body, constants)
        yield from _strings(node.orelse, constants)
    elif isinstance(node, ast.Name) and node.id in constants and not isinstance(constants[node.id], ast.Name):
        yield from _strings(constants[node.id], {})
