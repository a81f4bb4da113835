"""A local stand-in of providers, and an inbox to read what arrived. Real HTTP servers on loopback."""

from authmail.sandbox.inbox import Inbox, ReceivedMail
from authmail.sandbox.server import Emulator, Sandbox

__all__ = ["Emulator", "Inbox", "ReceivedMail", "Sandbox"]
