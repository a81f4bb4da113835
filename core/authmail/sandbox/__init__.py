"""A local stand-in of providers, and an inbox to read what arrived. Real HTTP servers on loopback."""

from authmail.sandbox.faults import HTTP_FAULTS, Fault, fault_of, perform
from authmail.sandbox.inbox import Inbox, ReceivedMail
from authmail.sandbox.provider import Emulator
from authmail.sandbox.server import Sandbox

__all__ = ["HTTP_FAULTS", "Emulator", "Fault", "Inbox", "ReceivedMail", "Sandbox", "fault_of", "perform"]
