"""authmail sandbox."""

import asyncio
import contextlib
import webbrowser
from errno import EADDRINUSE
from ipaddress import ip_address
from typing import TYPE_CHECKING

import click

from authmail.cli.output import echo, print_json, styled

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
@click.option("--open", "in_browser", is_flag=True, help="Open the inbox's page in the browser.")
@click.option("--fail", "failing", multiple=True, metavar="CONNECTOR=FAULT",
              help="Let every mail to one provider meet a fault, such as aliyun-dm=throttled. Give it again for more.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print where it listens as JSON, then nothing more.")
def sandbox(port: int, host: str, in_browser: bool, failing: tuple[str, ...], as_json: bool) -> None:
    """Serve local stand-ins of the providers, and an inbox of what they accepted, until Ctrl-C.

    Open the printed address in a browser: every mail appears there with its code in large type, what the provider was
    asked and answered, and a form that sends test messages. Put the printed settings into a config and send: no mail
    leaves this machine. The recipient chooses faults: throttled@…, timeout@…, cut@… and more; docs/sandbox.md lists
    them.

    \b
    Examples:
      authmail sandbox --open
      authmail sandbox --fail aliyun-dm=throttled
    """
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(host, port, failing, in_browser=in_browser, as_json=as_json))


async def _serve(host: str, port: int, failing: tuple[str, ...], *, in_browser: bool, as_json: bool) -> None:
    from authmail import connectors
    from authmail.sandbox import Sandbox  # imported late: loads aiohttp's server

    emulators = {connector.id: emulator for connector in connectors() if (emulator := connector.get_emulator()) is not None}
    try:
        async with Sandbox(emulators, host=host, port=port) as running:
            _aim(running, failing)
            if as_json:
                configs = {connector: running.config(connector) for connector in running.connectors}
                print_json({"inbox": running.url, "connectors": configs})
            else:
                _announce(running, host)
            if in_browser:
                await open_in_browser(running.url)
            await watch(running, quiet=as_json)
    except OSError as error:
        hint = "; is another sandbox running? --port 0 takes ports that are free" if error.errno == EADDRINUSE else ""
        raise click.ClickException(f"{error.strerror or error}{hint}") from None


def _aim(running: "Sandbox", failing: tuple[str, ...]) -> None:
    for words in failing:
        connector, equals, fault = words.partition("=")
        try:
            running.fail(connector, fault if equals else "", times=None)
        except ValueError as error:
            raise click.UsageError(f"--fail takes CONNECTOR=FAULT: {error}") from None


async def watch(running: "Sandbox", *, quiet: bool) -> None:
    """Print a line for every mail that comes, until cancelled."""
    seen = max((mail.id for mail in running.inbox), default=0)
    while True:
        with contextlib.suppress(TimeoutError):
            mail = await running.inbox.wait(after=seen, timeout=3600)
            seen = mail.id
            if not quiet:
                found = f"code {mail.code}" if mail.code else f"link {mail.link}" if mail.link else ""
                echo(f"{mail.received_at:%H:%M:%S}  {', '.join(mail.to)}  {mail.subject}  {found}")


async def open_in_browser(url: str) -> None:
    """Open a page in the person's browser, or say that there is none."""
    if not await asyncio.to_thread(webbrowser.open, url):  # a thread, since a browser in a terminal does not come back
        echo(f"no browser could be opened; open {url} yourself", err=True)


def _announce(running: "Sandbox", host: str) -> None:
    echo("Inbox: ", styled(running.url, bold=True), f"  (for programs: {running.url}/api)")
    for connector in running.connectors:
        echo(f"\n{connector}, settings for a config:")
        print_json(running.config(connector))
    if not _is_loopback(host):
        echo(
            styled(f"\nListening at {host}: whoever reaches it can read every mail, with its codes and links.", fg="yellow"),
            err=True,
        )
    echo("\nMails appear in the inbox, and here. Ctrl-C ends.\n")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
