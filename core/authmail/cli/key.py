"""authmail key."""

import asyncio

import click

from authmail import say
from authmail.cli.language import told
from authmail.cli.output import echo, print_json
from authmail.cli.queue import opened, queue_file
from authmail.cli.store import file_argument
from authmail.delivery import Delivery


@click.group(short_help="Keys that seal queued messages.")
def key() -> None:
    """Make the keys that seal what is queued, and change from one to the next.

    \b
    Examples:
      authmail key new
      authmail key rotate authmail.toml
    """


@key.command(short_help="Print a fresh key.")
def new() -> None:
    """Print a fresh key, alone on one line. Keep it away from the database, for instance in AUTHMAIL_QUEUE_KEY.

    \b
    Example:
      authmail key new > key.txt
    """
    from authmail.queue.sealing import new_key  # needs an extra

    echo(new_key())


@key.command(short_help="Seal all that waits with the first key.")
@file_argument
def rotate(file: str, as_json: bool) -> None:
    """Seal all that waits with the first of the file's keys. Put the new key in front, start the workers anew, run this, and take the old key out.

    \b
    Example:
      authmail key rotate authmail.toml
    """
    whole = queue_file(file)
    sealed, unknown = asyncio.run(_rotated(whole))
    if as_json:
        print_json({"sealed": sealed, "unknownKey": unknown})
        return
    echo(told(say("sealed with the first key: {number}", number=sealed)))
    if unknown:
        echo(
            told(
                say("sealed with a key that the file does not name: {number}; they wait until it does, or expire", number=unknown)
            )
        )
        raise SystemExit(1)


async def _rotated(delivery: Delivery) -> tuple[int, int]:
    from authmail.queue.rotation import rotate

    async with opened(delivery) as queue:
        return await rotate(queue)
