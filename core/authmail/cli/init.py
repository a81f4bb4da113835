"""authmail init."""

import json
import os
from pathlib import Path
from typing import Any

import attrs
import click

from authmail import Connector, Template
from authmail.cli.config_file import connector_named
from authmail.cli.init_answers import ask
from authmail.cli.output import echo
from authmail.templates.samples import LOGTO_TYPES, STARTER, starter_templates
from authmail.words.locales import best_match


@click.command(short_help="Write a config to fill in.")
@click.argument("connectors", metavar="CONNECTOR...", nargs=-1, required=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write this file, and never over another; .toml or .json says the format.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["json", "toml"]),
              help="Format of the config; by default json, and toml for several connectors.")  # fmt: skip
@click.option("--lang", "languages", multiple=True, default=["en"], metavar="TAG", show_default=True,
              help="Language of the templates: en, fr or zh-CN. Give it again for more languages.")  # fmt: skip
@click.option("--templates", "folder", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
              help="Write the templates as files into this folder, and only its name into the config.")  # fmt: skip
@click.option("--ask", "asking", is_flag=True, help="Ask for what is to be filled in.")
def init(
    connectors: tuple[str, ...],
    output: Path | None,
    form: str | None,
    languages: tuple[str, ...],
    folder: Path | None,
    asking: bool,
) -> None:
    """Write a config to fill in, with templates for all nine usage types.

    Values in <angle brackets> are yours to fill in; `authmail check` finds the ones that are left. Several connectors
    become the senders of an authmail.toml, the first one preferred.

    \b
    Examples:
      authmail init aliyun-dm > aliyun.json
      authmail init aliyun-dm --output aliyun.toml --lang en --lang fr
      authmail init aliyun-dm --templates templates > aliyun.json
      authmail init aliyun-dm smtp --output authmail.toml
    """
    kept = False
    found = [connector_named(name) for name in connectors]
    _check_paths(found, folder, output)
    tags = _languages(languages)
    if folder is None and output is not None and len(found) > 1:  # one folder serves all senders
        folder = output.parent / "templates"
        kept = folder.exists()
    configs = [_config(connector, None if folder else tags, asking) for connector in found]
    if folder is not None and not kept:
        _write_templates(folder, tags)
    whole = _whole(found, configs, _relative(folder, output))
    text = _text(whole, form or _format_of(output, several=len(found) > 1))
    if output is None:
        echo(text)
    else:
        _write(output, text)
        echo(f"{output} is written; fill in what is in <angle brackets>, then: authmail check {output}", err=True)


def _check_paths(found: list[Connector], folder: Path | None, output: Path | None) -> None:
    if folder is not None and not any(connector.takes_mails for connector in found):
        raise click.UsageError(f"{found[0].id} needs no templates: the receiver of its messages writes the mails")
    if output is not None and output.exists():
        raise click.ClickException(f"{output} is there already; nothing was written")


def _config(connector: Connector, tags: list[str] | None, asking: bool) -> dict[str, Any]:
    """Return settings to fill in, with templates in some languages, or without if they are files."""
    config: dict[str, Any] = json.loads(connector.metadata.config_template)
    if asking:
        config = ask(connector, config)
    if "templates" in config and tags is not None:
        config["templates"] = _templates(tags)
    elif tags is None:
        config.pop("templates", None)
    return {key: value for key, value in config.items() if value is not None}


def _whole(found: list[Connector], configs: list[dict[str, Any]], folder: str | None) -> dict[str, Any]:
    """Return a file's content: of one connector, or of several senders, which take their targets as names."""
    templates = {} if folder is None else {"templates": folder}
    if len(found) == 1:
        return {"connector": found[0].id, **templates, "config": configs[0]}
    senders: dict[str, Any] = {}
    for connector, config in zip(found, configs, strict=True):
        others = sum(name.startswith(connector.target) for name in senders)
        name = f"{connector.target}-{others + 1}" if others else connector.target
        senders[name] = {"connector": connector.id, "config": config}
    return {**templates, "senders": senders}


def _relative(folder: Path | None, output: Path | None) -> str | None:
    """Return a folder as the file names it: relative to itself."""
    if folder is None:
        return None
    return (
        folder.as_posix() if output is None or folder.is_absolute() else Path(os.path.relpath(folder, output.parent)).as_posix()
    )


def _format_of(output: Path | None, *, several: bool) -> str:
    if output is not None and output.suffix in (".json", ".toml"):
        return output.suffix[1:]
    return "toml" if several else "json"


def _text(whole: dict[str, Any], form: str) -> str:
    if form == "json":
        return json.dumps(whole, ensure_ascii=False, indent=2)
    import tomlkit  # imported late: for this command alone

    return tomlkit.dumps(_readable(whole)).rstrip("\n")


def _readable(value: Any) -> Any:
    """Return a value whose long texts TOML shall write line by line, without a backslash before each quote."""
    import tomlkit

    if isinstance(value, dict):
        return {key: _readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    if isinstance(value, str) and "\n" in value and "'''" not in value:
        return tomlkit.string(value, literal=True, multiline=True)
    return value


def _write(output: Path, text: str) -> None:
    """Write a file that is its owner's alone, since secrets will be in it; never over another."""
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    except FileExistsError:
        raise click.ClickException(f"{output} is there already; nothing was written") from None
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from None


def _languages(languages: tuple[str, ...]) -> list[str]:
    """Return the languages of starter templates that serve those asked for."""
    available = sorted({template.locale or "" for template in starter_templates()})
    tags = [best_match([language], available) for language in languages]
    for language, tag in zip(languages, tags, strict=True):
        if tag is None:
            raise click.UsageError(f"no starter templates in {language}; there are {', '.join(available)}")
    return list(dict.fromkeys(tag for tag in tags if tag is not None))


def _templates(tags: list[str]) -> list[dict[str, str]]:
    # One language serves everybody; several are told apart.
    keep = len(tags) > 1
    templates = {(template.locale, template.usage_type): template for template in starter_templates()}
    return [_entry(templates[tag, usage_type], keep) for tag in tags for usage_type in LOGTO_TYPES]


def _write_templates(folder: Path, tags: list[str]) -> None:
    """Write the starter templates of some languages as files, and never over others."""
    names = [f"{tag}/{usage_type}.html" for tag in tags for usage_type in LOGTO_TYPES]
    if there := [name for name in names if (folder / name).exists()]:
        raise click.ClickException(f"{folder / there[0]} is there already; nothing was written")
    try:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((STARTER / name).read_bytes())
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written: {error.strerror}") from None


def _entry(template: Template, keep_locale: bool) -> dict[str, str]:
    return (template if keep_locale else attrs.evolve(template, locale=None)).to_dict()
