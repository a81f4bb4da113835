"""What the pages show is so: snippets run, commands exist, links lead somewhere."""

import re
import runpy
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import pytest

from authmail.cli import main

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDES = sorted((ROOT / "metadata" / "authmail_metadata").glob("*/README*.md"))
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted((DOCS / "hosts").glob("*.md")), *GUIDES]

# A mark on the line before says that a block is a piece to be read only.
BLOCK = re.compile(
    r"^(?P<fragment><!-- fragment[^\n]*-->\n)?(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
FILE = re.compile(r"# ([\w./-]+\.\w+)\n")


def name_of(page):
    return str(page.relative_to(ROOT))


def blocks(page, language):
    return [block for block in BLOCK.finditer(page.read_text("utf-8")) if block["language"] == language]


def snippets():
    """Each Python block of docs/; the README's are run by tests/test_house.py, files of a walk by the walk's own test."""
    for page in sorted(DOCS.glob("*.md")):
        for number, block in enumerate(blocks(page, "python")):
            if FILE.match(block["code"]) is None:
                yield pytest.param(page, block, id=f"{page.name}-{number}")


def printed_by(page, block):
    """The text block right after a snippet is what it prints."""
    rest = page.read_text("utf-8")[block.end() :].lstrip("\n")
    following = BLOCK.match(rest)
    return following["code"] if following is not None and following["language"] == "text" else None


@pytest.mark.parametrize(("page", "block"), [*snippets()])
def test_snippets_run(page, block, served, tmp_path, monkeypatch, capsys):
    """In an empty folder, without a warning, and print what the page says; the sandbox's port is the only change."""
    code = block["code"].replace("http://127.0.0.1:8026", served.endpoint("aliyun-direct-mail"))
    compile(code, name_of(page), "exec")
    if block["fragment"]:
        return
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "snippet.py"
    path.write_text(code, "utf-8")
    runpy.run_path(str(path), run_name="__main__")
    output = printed_by(page, block)
    if output is not None:
        assert capsys.readouterr().out == output


def test_snippets_are_tidy(tmp_path):
    """Formatted, without an unused import."""
    for page in sorted(DOCS.glob("*.md")):
        for number, block in enumerate(block for block in blocks(page, "python") if not block["fragment"]):
            (tmp_path / f"{page.stem}_{number}.py").write_text(textwrap.dedent(block["code"]), "utf-8")
    options = ["--isolated", "--no-cache", "--line-length=130", str(tmp_path)]
    for command in (["check", "--select=F,UP,B"], ["format", "--diff"]):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *options], capture_output=True, text=True, timeout=60, check=False
        )
        assert result.returncode == 0, result.stdout


def test_files_shown_are_those_of_the_examples():
    """A block that begins with an example's name is that file, word for word."""
    for page in PAGES:
        for block in blocks(page, "python"):
            name = FILE.match(block["code"])
            example = DOCS / "examples" / name[1] if name else None
            if example is not None and example.is_file():
                assert block["code"] == f"# {name[1]}\n" + example.read_text("utf-8"), name_of(page)


def commands():
    """Each authmail command of a console block, and those named within sentences, which may lack arguments."""
    for page in PAGES:
        for block in blocks(page, "console"):
            for line in block["code"].splitlines():
                for part in re.split(r"&&|[|;>]", line.split(" # ")[0].removeprefix("$ ")):
                    words = shlex.split(part)
                    if words and Path(words[0]).name == "authmail":
                        yield pytest.param(words[1:], True, id=f"{name_of(page)}: {' '.join(words)}")
        for sentence in re.findall(r"`authmail ([^`]+)`", page.read_text("utf-8")):
            yield pytest.param(shlex.split(sentence), False, id=f"{name_of(page)}: `{sentence}`")


@pytest.mark.parametrize(("words", "complete"), [*commands()])
def test_commands_exist(words, complete, tmp_path, monkeypatch):
    """With their options and arguments, as click reads them."""
    monkeypatch.chdir(tmp_path)
    for word in words:
        if re.fullmatch(r"[\w-]+\.(json|toml)", word):
            Path(word).touch()
    if words[0].startswith("-"):
        assert words[0] in {option for parameter in main.get_params(click.Context(main)) for option in parameter.opts}
        return
    command, rest = main.commands[words[0]], list(words[1:])
    while isinstance(command, click.Group) and rest:
        command, rest = command.commands[rest[0]], rest[1:]
    if complete:
        Path("authmail.toml").touch()  # which some take where they name none
        command.make_context(words[0], rest)
    options = {option for parameter in command.get_params(click.Context(command)) for option in parameter.opts}
    assert {word for word in rest if word.startswith("-")} <= options


def anchors(page):
    """The anchors that a page's headings get: lower case, blanks as hyphens, no punctuation."""
    text = BLOCK.sub("", page.read_text("utf-8"))
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading)).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    """To a file of the repository, and to a heading that it has."""
    for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", page.read_text("utf-8"))):
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        there = page if not path else (page.parent / path).resolve()
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


def test_every_page_is_linked():
    """From the README."""
    readme = (ROOT / "README.md").read_text("utf-8")
    assert not [page.name for page in DOCS.glob("*.md") if f"(docs/{page.name})" not in readme]
