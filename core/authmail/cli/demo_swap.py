"""The demo's swap of providers: one message, one folder of templates, and each connector's credentials."""

from typing import TYPE_CHECKING, Any

import attrs

from authmail import Egress, Mailer, Message, SendError
from authmail.cli.output import echo, print_table, styled

if TYPE_CHECKING:
    from authmail.sandbox import Sandbox

_MESSAGE = Message("zoe@example.com", "SignIn", {"code": "640218", "locale": "fr"})


async def swap(sandbox: "Sandbox", templates: Any, *, quiet: bool) -> list[dict[str, Any]]:
    """Send the message through every connector that the sandbox emulates, and return what became of it."""
    rows = [("CONNECTOR", "WHAT ARRIVED", "CODE")]
    credentials: list[str] = []
    results: list[dict[str, Any]] = []
    for connector in sandbox.connectors:
        raw = sandbox.config(connector)
        before = max((mail.id for mail in sandbox.inbox), default=0)
        try:
            async with Mailer(connector, raw, templates=templates, egress=Egress.ANY) as mailer:
                receipt = await mailer.send(_MESSAGE)
            mail = await sandbox.inbox.wait(to=_MESSAGE.to, after=before, timeout=5)
        except (SendError, TimeoutError) as error:
            echo(styled(f"{connector}: {error}", fg="red"), err=True)
            results.append({"message": _MESSAGE.type, "as_composed": False, "error": str(error)})
            continue
        rows.append((connector, mail.subject, mail.code or ""))
        credentials.append(", ".join(key for key in raw if key != "endpoint"))
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
        echo("One message through every connector: the templates stay, only the credentials change.\n")
        print_table(rows, indent="  ", notes=credentials)
        echo()
    return results
