"""authmail explain."""

import asyncio

import attrs
import click

from authmail import ConfigError, Message
from authmail.cli.config_file import ConfigFile, DeliveryFile, config_argument, load_any, stop
from authmail.cli.message_options import message_of, message_options
from authmail.cli.output import print_json, print_table
from authmail.delivery import Step


@click.command(short_help="Say which way a message would go, and why.")
@config_argument
@message_options
@click.option("--to", default="you@example.com", show_default=True, metavar="ADDRESS", help="Recipient.")
@click.option("--ip", metavar="ADDRESS", help="Address of the client that asks.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(
    config: str,
    connector: str | None,
    usage_type: str,
    locale: str | None,
    payload: tuple[str, ...],
    to: str,
    ip: str | None,
    as_json: bool,
) -> None:
    """Say which way a message would go: deadline, repeats, limits, route, senders, template; and why. Sends nothing.

    \b
    Examples:
      authmail explain authmail.toml --to zoe@qq.com --type SignIn
      authmail explain authmail.toml --to zoe@example.com --type OrganizationInvitation --locale fr
    """
    file = load_any(config, connector)
    message = attrs.evolve(message_of(to, usage_type, locale, payload, file.usage_types), ip=ip)
    try:
        steps = asyncio.run(_explain(file, message))
    except ConfigError as error:
        stop(config, error, file.warnings())
    if as_json:
        print_json({"steps": [attrs.asdict(step) for step in steps]})
    else:
        print_table([("QUESTION", "ANSWER", "WHY"), *((step.what, step.decision, step.why) for step in steps)])


async def _explain(file: ConfigFile | DeliveryFile, message: Message) -> list[Step]:
    return await file.delivery().explain(message)
