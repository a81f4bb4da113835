"""The demo's swap of providers: one message, one folder of templates, and each connector's credentials."""

from typing import TYPE_CHECKING, Any

import attrs
import click

from authmail import Egress, Mailer, Message, SendError
from authmail.cli.output import print_table

if TYPE_CHECKING:
    from authmail.sandbox import Sandbox

_MESSAGE = Message("zoe@example.com", "SignIn", {"code": "640218", "locale": "fr"})


async def swap(sandbox: "Sandbox", templates: Any, *, quiet: bool) -> list[dict[str, Any]]:
    """Send the message through every connector that the sandbox emulates, and return what became of it."""
    rows = [("CONNECTOR", "CREDENTIALS", "WHAT ARRIVED", "CODE")]
    results: list[dict[str, Any]] = []
    for connector in sandbox.connectors:
        raw = sandbox.config(connector)
        before = max((mail.id for mail in sandbox.inbox), default=0)
        try:
            async with Mailer(connector, raw, templates=templates, egress=Egress.ANY) as mailer:
                receipt = await mailer.send(_MESSAGE)
            mail = await sandbox.inbox.wait(to=_MESSAGE.to, after=before, timeout=5)
        except (SendError, TimeoutError) as error:
            click.echo(click.style(f"{connector}: {error}", fg="red"), err=True)
            results.append({"message": _MESSAGE.type, "as_composed": False, "error": str(error)})
            continue
        rows.append((connector, ", ".join(key for key in raw if key != "endpoint"), mail.subject, mail.code or ""))
        arrived = (mail.connector, mail.code) == (connector, _MESSAGE.payload["code"])
        results.append(
            {
                "message": _MESSAGE.type,
                "as_composed": arrived,
                "receipt": attrs.asdict(receipt),
                "arrived": mail.to_dict(),
            }
        )
    if not quiet:
        click.echo("One message through every connector: the templates stay, only the credentials change.\n")
        print_table(rows, indent="  ")
        click.echo()
    return results
