"""authmail demo."""

import asyncio
import contextlib
from importlib.resources import as_file, files
from textwrap import indent
from typing import Any

import attrs
import click

from authmail import AccountError, Egress, Mailer, Message, SendError, Throttled, connectors
from authmail.cli.config_file import ConfigFile, load
from authmail.cli.demo_swap import swap
from authmail.cli.output import echo, fail, print_json, styled
from authmail.cli.sandbox import open_in_browser, watch

_ORGANIZATION = {"organization": {"id": "org-1", "name": "Acme & Sons"}, "inviter": {"name": "Zoé"}}

#: What the demo sends: several usage types in several languages.
MESSAGES = (
    Message("zoe@example.com", "SignIn", {"code": "482913", "locale": "fr-CA"}),
    Message("wei@example.com", "Register", {"code": "730164", "locale": "zh-CN"}),
    Message("sam@example.com", "ForgotPassword", {"code": "205588", "locale": "en-GB"}),
    Message(
        "lea@example.com", "OrganizationInvitation", {"link": "https://example.com/join?t=Qx7", "locale": "fr", **_ORGANIZATION}
    ),
    Message("kim@example.com", "MfaVerification", {"code": "914027", "uiLocales": "ko en"}),
)


@click.command(short_help="See it work, on this machine alone.")
@click.option("--serve", is_flag=True, help="Then show the mails on a page in the browser, until Ctrl-C.")
@click.option("--open", "in_browser", is_flag=True, help="With --serve: open that page.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def demo(serve: bool, in_browser: bool, as_json: bool) -> None:
    """See authmail work, on this machine alone.

    Starts the sandbox, sends mails of several types and languages over loopback HTTP through the Aliyun Direct Mail
    connector, and shows what arrived. Then the two failures that newcomers meet, and one message through every
    connector by swapping the credentials alone. Exit code 0 only if every mail arrived as composed.

    \b
    Examples:
      authmail demo
      authmail demo --serve
    """
    if in_browser and not serve:
        raise click.UsageError("--open needs --serve")
    with as_file(files("authmail.cli") / "demo_config" / "aliyun.json") as path:
        file = load(str(path), None)
    if asyncio.run(_run(file, serve, in_browser, as_json)):
        raise SystemExit(1)


def _summarize(results: list[dict[str, Any]], wrong: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(results)
    elif wrong:
        echo(styled(f"{len(wrong)} of {len(results)} did not go as they should", fg="red", bold=True), err=True)
    else:
        swapped = len({result["receipt"]["connector"] for result in results if "receipt" in result})
        done = f"All {len(MESSAGES)} mails arrived as composed, both failures were told as they are, "
        echo(styled(f"{done}and {swapped} connectors delivered the same message.", fg="green", bold=True))
        echo("Next: authmail init aliyun-dm > aliyun.json, fill it in, authmail check aliyun.json")


async def _run(file: ConfigFile, serve: bool, in_browser: bool, quiet: bool) -> list[dict[str, Any]]:
    """Send everything, tell how it went, serve the page if asked to; returns what did not go as it should."""
    from authmail.sandbox import Sandbox  # imported late: loads aiohttp's server

    connector = file.connector
    emulators = {found.id: found.get_emulator() for found in connectors() if found.implements("get_emulator")}
    async with Sandbox(emulators) as sandbox:
        raw = {**file.raw, "endpoint": sandbox.endpoint(connector.id)}
        _say(quiet, f"Sandbox: {connector.id} is emulated at {raw['endpoint']}; no mail leaves this machine.\n")
        results = []
        async with Mailer(connector, raw, templates=file.templates, egress=Egress.ANY) as mailer:
            results += [await _sent(mailer, sandbox, message, quiet) for message in MESSAGES]
            _say(quiet, "Too many calls (the recipient throttled@… asks the sandbox for it):")
            results.append(
                await _failed(mailer, Message("throttled@example.com", "SignIn", {"code": "115599"}), Throttled, quiet)
            )
        wrong_secret = {**raw, "accessKeySecret": "not-the-secret"}
        async with Mailer(connector, wrong_secret, templates=file.templates, egress=Egress.ANY) as mailer:
            _say(quiet, "A wrong AccessKey secret:")
            results.append(await _failed(mailer, Message("zoe@example.com", "SignIn", {"code": "115599"}), AccountError, quiet))
        results += await swap(sandbox, file.templates, quiet=quiet)
        wrong = [result for result in results if not result["as_composed"]]
        _summarize(results, wrong, quiet)
        if serve:
            echo("\nInbox: ", styled(sandbox.url, bold=True), "  Ctrl-C ends.\n", err=quiet)
            if in_browser:
                await open_in_browser(sandbox.url)
            with contextlib.suppress(asyncio.CancelledError):  # Ctrl-C; how the demo went is still told
                await watch(sandbox, quiet=quiet)
    return wrong


async def _sent(mailer: Mailer, sandbox: Any, message: Message, quiet: bool) -> dict[str, Any]:
    """Send a message and compare what arrived with what was composed."""
    before = max((mail.id for mail in sandbox.inbox), default=0)
    email = await mailer.preview(message)
    try:
        receipt = await mailer.send(message)
        mail = await sandbox.inbox.wait(to=message.to, after=before, timeout=5)
    except (SendError, TimeoutError) as error:
        echo(styled(f"{message.type} to {message.to}: {error}", fg="red"), err=True)
        return {"message": message.type, "as_composed": False, "error": str(error)}
    as_composed = (mail.subject, mail.html, mail.to) == (email.subject, email.html, (email.to.address,))
    found = message.payload.get("code") == mail.code if "code" in message.payload else message.payload["link"] == mail.link
    _say(
        quiet,
        styled(f"{message.type}, language {message.payload.get('locale') or message.payload.get('uiLocales')}", bold=True),
    )
    for name, value in (
        ("From", mail.sender),
        ("Reply-To", mail.reply_to),
        ("To", ", ".join(mail.to)),
        ("Subject", mail.subject),
    ):
        _say(quiet, f"  {name + ':':<9} {value}")
    _say(quiet, "\n" + indent(mail.readable, "    ") + "\n")
    _say(quiet, "  ", styled("accepted", fg="green"), f", message id {receipt.message_id}\n")
    return {
        "message": message.type,
        "as_composed": as_composed and found,
        "receipt": attrs.asdict(receipt),
        "arrived": mail.to_dict(),
    }


async def _failed(mailer: Mailer, message: Message, expected: type[SendError], quiet: bool) -> dict[str, Any]:
    """Send a message that must fail, and show how authmail tells it."""
    try:
        await mailer.send(message)
    except SendError as error:
        if not quiet:
            fail(error, err=False)
            echo()
        return {"message": message.type, "as_composed": isinstance(error, expected), "error": error.to_dict()}
    return {"message": message.type, "as_composed": False, "error": "it was accepted"}


def _say(quiet: bool, *parts: str) -> None:
    if not quiet:
        echo(*parts)
