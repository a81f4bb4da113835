"""authmail send."""

import asyncio

import attrs
import click

from authmail import ConfigError, Egress, Message, Receipt, SendError, hookimpl
from authmail.cli.config_file import config_argument, load_any, plain_option, stop, stop_failed
from authmail.cli.language import reader
from authmail.cli.message_options import message_of, message_options
from authmail.cli.output import echo, print_json, styled
from authmail.delivery import Delivery, StoreError


@click.command(short_help="Send one real mail.")
@config_argument
@click.option("--to", required=True, metavar="ADDRESS", help="Recipient.")
@message_options
@click.option("--timeout", default=10.0, show_default=True, type=click.FloatRange(0, min_open=True), help="Seconds, all in all.")
@plain_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def send(
    config: str,
    connector: str | None,
    to: str,
    usage_type: str,
    locale: str | None,
    payload: tuple[str, ...],
    timeout: float,
    egress: Egress,
    as_json: bool,
) -> None:
    """Send one real mail, code 000000 unless --payload says otherwise.

    Prints the message id, or what happened instead: the outcome, the provider's code, a hint, and what certainly did
    not happen.

    \b
    Examples:
      authmail send aliyun.json --to you@example.com
      authmail send aliyun.json --to you@example.com --type SignIn --locale fr --payload code=123456
      authmail send authmail.toml --to you@example.com
    """
    file = load_any(config, connector)
    message = message_of(to, usage_type, locale, payload, file.usage_types)
    way = _Way()
    try:
        receipt = asyncio.run(_send(file.delivery(egress, [way]), message, timeout))
    except ConfigError as error:
        stop(config, error, file.warnings())
    except StoreError as error:
        raise click.ClickException(str(error)) from None
    except SendError as error:
        stop_failed(error, as_json=as_json)
    if as_json:
        failed = {sender: failure.to_dict() for sender, failure in way.errors.items()}
        print_json({"sent": True, **attrs.asdict(receipt), "passed_over": failed})
        return
    echo(styled(f"accepted by {receipt.connector}", fg="green", bold=True))
    echo(f"  message id:     {receipt.message_id}")
    if receipt.request_id:
        echo(f"  request id:     {receipt.request_id}")
    for sender, failure in way.errors.items():
        outcome, hint = failure.outcome_in(reader()), failure.hint_in(reader())
        echo("  not by ", styled(sender, fg="yellow"), f": {outcome} ({failure.reason}): {hint}")
    for setting in way.renewed:
        words = (
            ": the provider gave a new refresh token, which this command cannot store; grant access again before this one ends"
        )
        echo("  ", styled(setting, fg="yellow"), words)
    echo("  Accepted is not delivered yet: look into the mailbox, and into the provider's console if nothing comes.")


class _Way:
    """What happened on the way: senders that did not take the message, with the last error of each, and new tokens."""

    def __init__(self) -> None:
        self.errors: dict[str, SendError] = {}
        self.renewed: list[str] = []

    @hookimpl
    def token_refreshed(self, setting: str) -> None:
        self.renewed.append(setting)

    @hookimpl
    def switched(self, sender: str, error: SendError) -> None:
        self.errors[sender] = error


async def _send(delivery: Delivery, message: Message, timeout: float) -> Receipt:
    async with delivery:
        return await delivery.send(message, timeout=timeout)
