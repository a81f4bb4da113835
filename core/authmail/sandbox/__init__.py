"""A local stand-in of providers, and an inbox to read what arrived. Real servers on loopback."""

from authmail.sandbox.exchanges import Exchange
from authmail.sandbox.faults import HTTP_FAULTS, Fault, fault_of, perform
from authmail.sandbox.inbox import Inbox, ReceivedMail
from authmail.sandbox.provider import Emulator
from authmail.sandbox.server import Sandbox
from authmail.sandbox.streams import StreamEmulator

__all__ = [
    "HTTP_FAULTS",
    "Emulator",
    "Exchange",
    "Fault",
    "Inbox",
    "ReceivedMail",
    "Sandbox",
    "StreamEmulator",
    "fault_of",
    "perform",
]
