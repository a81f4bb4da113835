"""An SMTP server for the sandbox: any client may send to it, and what it took is in the inbox.

Login, sizes, order of commands and addresses are checked as servers do; authmail's connector is only one of its clients.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

import attrs

from authmail import hide_fields
from authmail.sandbox import Fault, Inbox
from authmail_smtp.emulator_dialogue import Dialogue
from authmail_smtp.emulator_faults import FAULTS


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class SMTPEmulator:
    """One SMTP server. Without a login it takes mail too, so that any program may use it while it is developed.

    Args:
        users: user → password, for PLAIN and LOGIN.
        tokens: user → access token, for XOAUTH2.
        login_required: whether mail is refused without a login.
        largest: bytes of the largest mail.
        tls: where given, STARTTLS is offered.
        extensions: what EHLO offers besides.
        slowness: seconds that a slow answer takes.
    """

    scheme = "smtp"

    users: Mapping[str, str] = attrs.field(factory=lambda: {"sandbox": "sandbox-password"})
    tokens: Mapping[str, str] = attrs.field(factory=lambda: {"sandbox": "sandbox-token"})
    login_required: bool = False
    largest: int = 10 * 1024 * 1024
    tls: ssl.SSLContext | None = None
    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
    slowness: float = 1.5

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here, but host and port."""
        user, password = next(iter(self.users.items()))
        return {
            "auth": {"type": "login", "user": user, "pass": password},
            "fromEmail": "Sandbox <no-reply@mail.sandbox.example>",
        }

    @property
    def faults(self) -> Mapping[str, Fault]:
        """What a recipient's part before the ``@`` makes happen."""
        return FAULTS

    @property
    def confidential(self) -> tuple[str, ...]:
        """What no record shows."""
        return (*self.users.values(), *self.tokens.values())

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, inbox: Inbox) -> None:
        """Hold one conversation."""
        await Dialogue(self, reader, writer, inbox).hold()
