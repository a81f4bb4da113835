"""A local stand-in of providers, and an inbox to read what arrived. Real servers on loopback."""

from authmail.sandbox.emulator import ApiEmulator, Emulator, Refusal, faults_of, has_key, read_object
from authmail.sandbox.exchanges import Exchange, served
from authmail.sandbox.faults import HTTP_FAULTS, Fault, fault_of, perform
from authmail.sandbox.inbox import Inbox, ReceivedMail
from authmail.sandbox.server import Sandbox
from authmail.sandbox.streams import StreamEmulator

__all__ = [
    "HTTP_FAULTS",
    "ApiEmulator",
    "Emulator",
    "Exchange",
    "Fault",
    "Inbox",
    "ReceivedMail",
    "Refusal",
    "Sandbox",
    "StreamEmulator",
    "fault_of",
    "faults_of",
    "has_key",
    "perform",
    "read_object",
    "served",
]
