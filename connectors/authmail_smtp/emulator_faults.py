"""Faults that the emulator shows on demand, chosen by the recipient's part before the ``@``, as data.

The words are those of servers in use: Postfix, Exim, Gmail, Microsoft 365, Amazon SES.
"""

import re
from collections.abc import Mapping

from authmail.sandbox import Fault, fault_of

#: Recipient's part before the ``@`` (also before a ``+``), lower case → what happens. ``refuse`` answers RCPT, ``content``
#: the mail's final dot, ``goodbye`` answers RCPT and closes.
FAULTS: Mapping[str, Fault] = {
    "unknown": Fault("no such user here", 550, "5.1.1"),
    "no-mail": Fault("the domain takes no mail", 556, "5.1.10"),
    "full": Fault("the mailbox is full", 552, "5.2.2"),
    "full-now": Fault("the mailbox is full for the moment", 452, "4.2.2"),
    "throttled": Fault("too many messages, try again in 3 seconds", 451, "4.7.1"),
    "many": Fault("too many recipients", 452, "4.5.3"),
    "greylisted": Fault("greylisted, try again in 300 seconds", 450, "4.2.0"),
    "busy": Fault("service not available, closing", 421, "4.3.2", action="goodbye"),
    "crash": Fault("local error in processing", 451, "4.3.0"),
    "no-room": Fault("insufficient system storage", 452, "4.3.1"),
    "relay": Fault("relay access denied", 554, "5.7.1"),
    "blocked": Fault("service unavailable; client host blocked using a block list", 554, "5.7.1"),
    "login": Fault("authentication required", 530, "5.7.0"),
    "starttls": Fault("must issue a STARTTLS command first", 530, "5.7.0"),
    "sender": Fault("the account may not send as this sender (SendAsDenied)", 550, "5.7.60", action="content"),
    "quota": Fault("daily user sending limit exceeded", 550, "5.4.5", action="content"),
    "spam": Fault("message refused as spam", 554, "5.7.1", action="content"),
    "large": Fault("message too big for system", 552, "5.3.4", action="content"),
    "later": Fault("the mail is read, and refused for the moment", 451, "4.3.0", action="content"),
    "garbage": Fault("a reply to the mail that is not SMTP", action="garbage"),
    "cut": Fault("the connection is cut, the mail not accepted", action="cut"),
    "cut-after": Fault("the mail is accepted, then the connection cut", action="cut-after"),
    "timeout": Fault("the mail is accepted, but no answer comes", action="hang"),
    "slow": Fault("the answer takes 1.5 s", action="slow"),
}

_CODE = re.compile(r"([45][0-9]{2})(?:-([45]\.[0-9]{1,3}\.[0-9]{1,3}))?")


def fault_for(recipient: str) -> Fault | None:
    """Return the fault that an address asks for: by name, or any code as ``550@…`` or ``550-5.1.1@…``."""
    known = fault_of(recipient, FAULTS)
    match = _CODE.fullmatch(recipient.partition("@")[0].partition("+")[0])
    if known is None and match is not None:
        return Fault("as asked for", int(match[1]), match[2])
    return known
