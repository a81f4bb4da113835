"""authmail alerts."""

import asyncio
from typing import Any

import click

from authmail import ConfigError, SendError, say
from authmail.cli.config_file import config_argument, load_any, stop, stop_failed
from authmail.cli.language import told
from authmail.cli.output import echo, print_json, print_table
from authmail.delivery import Alerts, AlertWay, Delivery
from authmail.words.text import Text


@click.command(short_help="Say who is told of trouble, and try it.")
@config_argument
@click.option("--test", "tests", is_flag=True, help="Tell a test alert by every way.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def alerts(config: str, connector: str | None, tests: bool, as_json: bool) -> None:
    """Say by which ways somebody is told of account errors, open breakers and messages in doubt: the table [alerts].

    With --test a test alert goes out by each of them. The exit code is 1 if one did not arrive.

    \b
    Examples:
      authmail alerts authmail.toml
      authmail alerts authmail.toml --test
    """
    file = load_any(config, connector)
    try:
        delivery = file.delivery()
    except ConfigError as error:
        stop(config, error, file.warnings())
    try:
        results = asyncio.run(_tested(delivery)) if tests else [(way, None) for one in _alerts_of(delivery) for way in one.ways]
    except SendError as error:
        stop_failed(error, as_json=as_json, mail=False)
    if as_json:
        print_json({"ways": [_as_json(way, why, tested=tests) for way, why in results]})
    elif not results:
        echo(told(say("{name}: alerts go to the log alone; a table [alerts] tells somebody", name=config)))
    else:
        rows = [(way.name, way.place, *([told(why or say("told"))] if tests else [])) for way, why in results]
        print_table([("WAY", "PLACE", *(["TEST"] if tests else [])), *rows])
    if any(why is not None for _, why in results):
        raise SystemExit(1)


def _alerts_of(delivery: Delivery) -> list[Alerts]:
    return [part for part in delivery.inside if isinstance(part, Alerts)]


async def _tested(delivery: Delivery) -> list[tuple[AlertWay, Text | None]]:
    async with delivery:
        return [result for one in _alerts_of(delivery) for result in await one.test()]


def _as_json(way: AlertWay, why: Text | None, *, tested: bool) -> dict[str, Any]:
    result = {"told": why is None, "why": None if why is None else told(why)} if tested else {}
    return {"way": way.name, "place": way.place, **result}
