"""authmail init."""

import json
from pathlib import Path
from typing import Any

import attrs
import click

from authmail import Template
from authmail.cli.config_file import connector_named
from authmail.cli.output import print_json
from authmail.templates.samples import LOGTO_TYPES, STARTER, starter_templates
from authmail.words.locales import best_match


@click.command(short_help="Print a config to fill in.")
@click.argument("connector")
@click.option(
    "--format", "form", type=click.Choice(["json", "toml"]), default="json", show_default=True, help="Format of the config."
)
@click.option("--lang", "languages", multiple=True, default=["en"], metavar="TAG", show_default=True,
              help="Language of the templates: en, fr or zh-CN. Give it again for more languages.")  # fmt: skip
@click.option("--templates", "folder", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
              help="Write the templates as files into this folder, and only its name into the config.")  # fmt: skip
def init(connector: str, form: str, languages: tuple[str, ...], folder: Path | None) -> None:
    """Print a config to fill in, with templates for all nine usage types.

    Values in <angle brackets> are yours to fill in; `authmail check` finds the ones that are left.

    \b
    Examples:
      authmail init aliyun-dm > aliyun.json
      authmail init aliyun-dm --format toml --lang en --lang fr > aliyun.toml
      authmail init aliyun-dm --templates templates > aliyun.json
    """
    found = connector_named(connector)
    config = json.loads(found.metadata.config_template)
    whole = {"connector": found.id, "config": config}
    if folder is None and "templates" in config:
        config["templates"] = _templates(languages)
    elif folder is not None and "templates" in config:
        del config["templates"]
        _write(folder, _languages(languages))
        whole["templates"] = str(folder)
    elif folder is not None:
        raise click.UsageError(f"{found.id} needs no templates: the receiver of its messages writes the mails")
    if form == "json":
        print_json(whole)
    else:
        click.echo(_toml(whole), nl=False)


def _languages(languages: tuple[str, ...]) -> list[str]:
    """Return the languages of starter templates that serve those asked for."""
    available = sorted({template.locale or "" for template in starter_templates()})
    tags = [best_match([language], available) for language in languages]
    for language, tag in zip(languages, tags, strict=True):
        if tag is None:
            raise click.UsageError(f"no starter templates in {language}; there are {', '.join(available)}")
    return list(dict.fromkeys(tag for tag in tags if tag is not None))


def _templates(languages: tuple[str, ...]) -> list[dict[str, str]]:
    tags = _languages(languages)
    # One language serves everybody; several are told apart.
    keep = len(tags) > 1
    templates = {(template.locale, template.usage_type): template for template in starter_templates()}
    return [_entry(templates[tag, usage_type], keep) for tag in tags for usage_type in LOGTO_TYPES]


def _write(folder: Path, tags: list[str]) -> None:
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


def _toml(whole: dict[str, Any]) -> str:
    """Return the config as TOML; the standard library reads TOML and does not write it."""
    config = dict(whole["config"])
    templates = config.pop("templates", [])
    lines = [f"{key} = {_toml_value(value)}" for key, value in whole.items() if key != "config"] + ["", "[config]"]
    lines += [f"{key} = {_toml_value(value)}" for key, value in config.items()]
    for template in templates:
        lines += ["", "[[config.templates]]", *(f"{key} = {_toml_value(value)}" for key, value in template.items())]
    return "\n".join(lines) + "\n"


def _toml_value(value: Any) -> str:
    if isinstance(value, str) and "\n" in value and "'''" not in value:
        return f"'''\n{value}'''"
    # JSON's texts, numbers, booleans and flat lists are TOML's too.
    return json.dumps(value, ensure_ascii=False)
