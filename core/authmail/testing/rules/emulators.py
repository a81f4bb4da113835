"""The connector's own emulator, where it has one: it takes what the connector sends, and refuses what is wrong."""

from collections.abc import AsyncIterator

from authmail.config.secrets import map_secrets
from authmail.http.egress import Egress
from authmail.mailer import Mailer
from authmail.outcomes import AccountError, SendError
from authmail.sandbox import Sandbox
from authmail.testing.case import CODE, RECIPIENT, TEMPLATES, Case, message
from authmail.testing.rules.rule import Rule
from authmail.testing.rules.tenants import mistyped


async def accepts(case: Case) -> AsyncIterator[str]:
    """Send a message into the sandbox."""
    emulator = case.connector.get_emulator()
    if emulator is None:
        return
    async with Sandbox({case.connector.id: emulator}) as sandbox:
        try:
            async with Mailer(
                case.connector, sandbox.config(case.connector.id), templates=TEMPLATES, egress=Egress.ANY
            ) as mailer:
                await mailer.send(message(link=None))
        except SendError as error:
            yield f"it refuses: {error}"
            return
        mails = sandbox.inbox.messages(to=RECIPIENT)
        if len(mails) != 1:
            yield f"{len(mails)} mails to the recipient are in the inbox"
        elif (mails[0].code, mails[0].connector) != (CODE, case.connector.id):
            yield f"the mail in the inbox has the code {mails[0].code} and the connector {mails[0].connector}"


async def credentials(case: Case) -> AsyncIterator[str]:
    """Send with other secrets."""
    emulator = case.connector.get_emulator()
    settings = case.connector.metadata.settings
    if emulator is None or settings is None or not case.secrets:
        return
    async with Sandbox({case.connector.id: emulator}) as sandbox:
        config = map_secrets(sandbox.config(case.connector.id), settings, lambda _, value: mistyped(value))
        try:
            async with Mailer(case.connector, config, templates=TEMPLATES, egress=Egress.ANY) as mailer:
                await mailer.send(message(link=None))
            yield "it accepts them"
        except AccountError:
            return
        except SendError as error:
            yield f"the outcome must be AccountError: {error}"


RULES = (
    Rule(
        "emulator.accepts",
        "The emulator takes what the connector sends, and the mail in the inbox is the one that was sent.",
        "Read the request in the emulator as the provider's documentation says, and add the mail to the inbox.",
        accepts,
    ),
    Rule(
        "emulator.credentials",
        "The emulator refuses wrong credentials, so that the sandbox shows what a mistyped key does.",
        "Compare the key with the emulator's own, and answer as the provider does.",
        credentials,
    ),
)
