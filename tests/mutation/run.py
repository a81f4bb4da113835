"""What the tests would not notice: changes one node of a module at a time and runs the module's tests on each change.

Run by hand, from the project's folder: ``.venv/bin/python tests/mutation/run.py egress outcomes``. Without names all
modules below are taken. Every change that no test fails on is printed; read each: it wants a test, simpler code, or is
no change in behaviour. Words for people (texts with a blank in them), docstrings, annotations and decorators stay.
"""

import argparse
import ast
import copy
import importlib.abc
import importlib.machinery
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALIYUN = "tests/connectors/aliyun_dm"
TEMPLATES = ["tests/templates", "tests/properties/test_rendering.py"]
DELIVERY = ["tests/delivery", "tests/properties/test_delivery.py"]

#: Module → its tests, the quickest first.
MODULES = {
    "authmail.outcomes": ["tests/test_outcomes.py", "tests/properties/test_values.py"],
    "authmail.http.egress": ["tests/http/test_egress.py"],
    **{
        f"authmail.templates.{room}": [f"tests/templates/test_{room}.py", *TEMPLATES]
        for room in ("choice", "coverage", "folder", "language", "rendering", "strangers")
    },
    "authmail.templates.template": [
        "tests/templates/test_template.py",
        *TEMPLATES,
        "tests/config/test_settings.py",
        "tests/properties/test_values.py",
    ],
    **{
        f"authmail.delivery.{room}": [f"tests/delivery/test_{room}.py", *DELIVERY]
        for room in ("breaker", "dedupe", "delivery", "failover", "limits", "retry", "routes")
    },
    **{f"authmail.delivery.{room}": ["tests/delivery/test_alerts.py"] for room in ("alert", "alert_ways", "alerts")},
    "authmail.delivery.file.alerts": ["tests/delivery/file/test_alerts_table.py"],
    **{f"authmail.delivery.{room}": DELIVERY for room in ("sender", "trail", "unknown", "events", "metrics")},
    **{
        f"authmail.delivery.file.{room}": ["tests/delivery/file/test_composition.py"]
        for room in ("composition", "settings", "schema")
    },
    **{
        f"authmail.delivery.stores.{room}": ["tests/delivery/test_stores.py", *DELIVERY] for room in ("memory", "sqlite", "store")
    },
    "authmail.mail.headers": ["tests/mail/test_headers.py", "tests/connectors/smtp/test_headers.py"],
    "authmail_smtp.grants": ["tests/connectors/smtp/test_oauth.py"],
    "authmail_smtp.session.mechanisms": ["tests/connectors/smtp/test_login.py"],
    "authmail_smtp.session.login": ["tests/connectors/smtp/test_login.py", "tests/connectors/smtp/test_oauth.py"],
    "authmail_aliyun_dm.answers": [f"{ALIYUN}/test_answers.py", f"{ALIYUN}/test_send.py"],
    "authmail_aliyun_dm.signing": [f"{ALIYUN}/test_signing.py", "tests/properties/test_signing.py"],
}
OPPOSITES = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
TRUE, FALSE = ast.Constant(True), ast.Constant(False)
UNTOUCHED = ("annotation", "returns", "decorator_list")
OPTIONS = ["-x", "-q", "--assert=plain", "-p", "no:randomly", "-p", "no:cacheprovider"]
SLOWEST = 120.0  # seconds: a change that makes a test hang is noticed


def variants(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901, PLR0912 (a list of cases is easy to read)
    """What a node could wrongly be instead."""
    match node:
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                yield _but(node, ops=[*node.ops[:index], OPPOSITES[type(operator)](), *node.ops[index + 1 :]])
        case ast.BoolOp():
            yield _but(node, op=OPPOSITES[type(node.op)]())
            yield from (rest[0] if len(rest) == 1 else _but(node, values=rest) for rest in _each_left_out(node.values))
        case ast.BinOp() if type(node.op) in OPPOSITES:
            yield _but(node, op=OPPOSITES[type(node.op)]())
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.If() | ast.IfExp() | ast.While():
            yield from (_but(node, test=test) for test in (ast.UnaryOp(ast.Not(), node.test), TRUE, FALSE))
        case ast.Constant(value=bool()):
            yield FALSE if node.value else TRUE
        case ast.Constant(value=int() | float()):
            yield ast.Constant(node.value + 1)
        case ast.Constant(value=str()) if node.value and " " not in node.value:
            yield ast.Constant(node.value + "X")
        case ast.Return(value=ast.AST()) if ast.unparse(node.value) != "None":
            yield ast.Return(ast.Constant(None))
        case ast.Raise() | ast.AugAssign() | ast.Continue() | ast.Break() | ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case ast.Call():
            yield from (_but(node, keywords=rest) for rest in _each_left_out(node.keywords))
        case ast.comprehension():
            yield from (_but(node, ifs=rest) for rest in _each_left_out(node.ifs))
        case ast.Slice():
            yield from (_but(node, **{bound: None}) for bound in ("lower", "upper") if getattr(node, bound) is not None)


def _but(node, **changes):
    changed = copy.copy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed


def _each_left_out(parts):
    return ([*parts[:index], *parts[index + 1 :]] for index in range(len(parts)))


def mutants(tree: ast.Module) -> Iterator[tuple[str, ast.Module]]:
    """Every change of a module: what it is, and the whole module with it."""
    untouched = {
        inner for node in ast.walk(tree) for field in UNTOUCHED for part in _parts(node, field) for inner in ast.walk(part)
    }
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            for index, node in enumerate(value if isinstance(value, list) else [value]):
                if name in UNTOUCHED or not isinstance(node, ast.AST) or node in untouched:
                    continue
                for variant in variants(node):
                    _put(parent, name, index, variant)
                    changed = ast.fix_missing_locations(copy.deepcopy(tree))
                    _put(parent, name, index, node)
                    line = next(inner.lineno for inner in ast.walk(node) if hasattr(inner, "lineno"))
                    yield f"{line}: {_first_line(node)}  →  {_first_line(variant)}", changed


def _parts(node, field):
    value = getattr(node, field, None)
    return value if isinstance(value, list) else [value] if isinstance(value, ast.AST) else []


def _put(parent, name, index, node):
    if isinstance(getattr(parent, name), list):
        getattr(parent, name)[index] = node
    else:
        setattr(parent, name, node)


def _first_line(node):
    return ast.unparse(node).split("\n")[0][:110]


class Changed(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Loads one module from a changed tree, and everything else as ever."""

    def __init__(self, name, path, tree):
        super().__init__(name, path)
        self.tree = tree

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_code(self, fullname):
        return compile(self.tree, self.path, "exec")


def tested(name: str, path: str, tree: ast.Module, tests: list[str]) -> int:
    """Run the tests on a changed module in a process of its own; return the process."""
    process = os.fork()
    if process:
        return process
    os.setsid()
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    sys.meta_path.insert(0, Changed(name, path, tree))
    import pytest

    try:
        failed = pytest.main([*OPTIONS, *tests])
    except BaseException:  # noqa: BLE001 (a module that cannot even be loaded was noticed)
        failed = 1
    os._exit(int(failed != 0))


def survivors(name: str, jobs: int) -> tuple[int, list[str]]:
    """Return how many changes of a module were tried, and those that no test noticed."""
    (path,) = ROOT.glob(f"*/{name.replace('.', '/')}.py")
    text = path.read_text("utf-8")
    if os.waitpid(tested(name, str(path), ast.parse(text), MODULES[name]), 0)[1]:
        sys.exit(f"{name}: the tests fail without any change: {' '.join(MODULES[name])}")
    running: dict[int, tuple[float, str]] = {}
    left: list[str] = []
    count = 0
    for what, changed in mutants(ast.parse(text)):
        count += 1
        process = tested(name, str(path), changed, MODULES[name])
        running[process] = time.monotonic() + SLOWEST, f"{path.relative_to(ROOT)}:{what}"
        print(f"\r{name}: {count} tried, {len(left)} not noticed", end="", file=sys.stderr, flush=True)
        while len(running) >= jobs:
            _collect(running, left)
    while running:
        _collect(running, left)
    print(file=sys.stderr)
    return count, left


def _collect(running, left):
    for process, (deadline, what) in list(running.items()):
        done, status = os.waitpid(process, os.WNOHANG)
        if not done and time.monotonic() > deadline:
            os.killpg(process, signal.SIGKILL)
            done, status = os.waitpid(process, 0)
        if done:
            del running[process]
            if status == 0:
                left.append(what)
                print(what, flush=True)
    time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("modules", nargs="*", help="last parts of their names; without any, all")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    given = parser.parse_args()
    os.chdir(ROOT)
    # Loaded once, for all the processes that are forked from this one; nothing of authmail itself.
    for name in (
        "pytest",
        "hypothesis",
        "html5lib",
        "aiohttp",
        "attrs",
        "cattrs",
        "pluggy",
        "langcodes",
        "idna",
        "pytest_asyncio.plugin",
    ):
        __import__(name)
    for name in MODULES:
        if not given.modules or name.rpartition(".")[2] in given.modules:
            count, left = survivors(name, given.jobs)
            print(f"{name}: {count} changes, {count - len(left)} noticed, {len(left)} not")


if __name__ == "__main__":
    main()
