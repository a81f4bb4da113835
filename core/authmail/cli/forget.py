"""authmail forget."""

import asyncio

import click

from authmail import ConfigError, Mailbox, say
from authmail.cli.config_file import DeliveryFile, parsed, stop
from authmail.cli.language import told
from authmail.cli.output import echo, print_json
from authmail.cli.store import file_argument
from authmail.cli.store_answers import place_of
from authmail.delivery import Delivery, MemoryStore, StoreError
from authmail.delivery.file.settings import DeliverySettings


@click.command(short_help="Remove what is counted of an address.")
@click.argument("address")
@file_argument
def forget(address: str, file: str, as_json: bool) -> None:
    """Remove what the limits of a file count of an address, in whatever spelling; the person may be mailed again at once.

    What is kept for repeats is under hashes of address, type and code together, so nobody can find it by the address: it goes
    by itself. Asks nothing.

    \b
    Example:
      authmail forget zoe@example.com authmail.toml
    """
    try:
        Mailbox.parse(address)
    except ValueError:
        raise click.UsageError("ADDRESS is no address") from None
    whole = DeliveryFile(file, parsed(file))
    try:
        number = asyncio.run(_forgotten(whole.delivery(), address))
    except ConfigError as error:
        stop(file, error, whole.warnings())
    except StoreError as error:
        raise click.ClickException(str(error)) from None
    settings, kept = DeliverySettings.from_dict(whole.raw.get("delivery") or {}), whole.store
    if as_json:
        place = getattr(kept, "place", None)
        print_json({"place": place, "removed": number, "keepSeconds": settings.keep, "holdSeconds": settings.hold})
        return
    if isinstance(kept, MemoryStore):
        echo(told(say("in memory, of each process for itself: call Delivery.forget there, or start it anew")))
        return
    echo(told(say("{place}: counted messages removed: {number}", place=place_of(kept), number=number)))
    words = say(
        "What is kept for repeats holds no address that it could be found by; it goes by itself, after {keep} s with an idempotency key, {hold} s without",
        keep=f"{settings.keep:g}",
        hold=f"{settings.hold:g}",
    )
    echo("  ", told(words))


async def _forgotten(delivery: Delivery, address: str) -> int:
    async with delivery:
        return await delivery.forget(address)
