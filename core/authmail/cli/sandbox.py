"""authmail sandbox."""

import asyncio
import contextlib
from ipaddress import ip_address
from typing import TYPE_CHECKING

import click

from authmail.cli.output import print_json

if TYPE_CHECKING:
    from authmail.sandbox import Sandbox


@click.command(short_help="Serve local providers and an inbox.")
@click.option(
    "--port",
    default=8025,
    show_default=True,
    type=click.IntRange(0, 65000),
    help="Port of the inbox; providers get the next ones. 0: any.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--json", "as_json", is_flag=True, help="Print where it listens as JSON, then nothing more.")
def sandbox(port: int, host: str, as_json: bool) -> None:
    """Serve local stand-ins of the providers, and an inbox of what they accepted, until Ctrl-C.

    Put the printed settings into a config and send: no mail leaves this machine. The recipient chooses faults:
    throttled@…, timeout@…, cut@… and more; docs/sandbox.md lists them.

    \b
    Example:
      authmail sandbox --port 8025
    """
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(host, port, as_json))


async def _serve(host: str, port: int, as_json: bool) -> None:
    from authmail import connectors
    from authmail.sandbox import Sandbox  # imported late: loads aiohttp's server

    emulators = {connector.id: emulator for connector in connectors() if (emulator := connector.get_emulator()) is not None}
    try:
        async with Sandbox(emulators, host=host, port=port) as running:
            if as_json:
                configs = {connector: running.config(connector) for connector in running.connectors}
                print_json({"inbox": running.url, "connectors": configs})
            else:
                _announce(running, host)
            seen = 0
            while True:
                with contextlib.suppress(TimeoutError):
                    mail = await running.inbox.wait(after=seen, timeout=3600)
                    seen = mail.id
                    if not as_json:
                        found = f"code {mail.code}" if mail.code else f"link {mail.link}" if mail.link else ""
                        click.echo(f"{mail.received_at:%H:%M:%S}  {', '.join(mail.to)}  {mail.subject}  {found}")
    except OSError as error:
        raise click.ClickException(error.strerror or str(error)) from None


def _announce(running: "Sandbox", host: str) -> None:
    click.echo(click.style(f"inbox:  {running.url}/api/messages", bold=True))
    for connector in running.connectors:
        click.echo(f"\n{connector}, settings for a config:")
        print_json(running.config(connector))
    if not _is_loopback(host):
        click.echo(
            click.style(f"\nListening at {host}: whoever reaches it can read every mail, with its codes and links.", fg="yellow"),
            err=True,
        )
    click.echo("\nMails appear here. Ctrl-C ends.\n")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
