"""What every application here does with an ask: send, and say what became of it."""

import logging
import os
import time
from pathlib import Path

from authmail import Message, SendError

# With these words the delivery says that something was not counted or known; a message's own record begins otherwise.
_complaints = []


class _Listener(logging.Handler):
    def emit(self, record):
        if record.levelno >= logging.WARNING and not record.getMessage().startswith("message "):
            _complaints.append(record.getMessage())


def listen():
    """Hear what authmail and asyncio warn of, from now on."""
    for name in ("authmail", "asyncio"):
        logging.getLogger(name).addHandler(_Listener(logging.WARNING))


def message_of(ask):
    """Return the message of an ask."""
    return Message(ask["to"], "SignIn", {"code": ask["code"], "locale": ask.get("locale", "en")}, idempotency_key=ask["key"])


def answered(ask, began, receipt=None, error=None):
    """Return the answer to an ask as it goes back."""
    complaints = [_complaints.pop() for _ in range(len(_complaints))]
    return {
        "id": ask["id"],
        "answer": "accepted" if error is None else type(error).__name__,
        "message_id": receipt and receipt.message_id,
        "seconds": time.monotonic() - began,
        "process": os.getpid(),
        "complaints": complaints,
    }


def files():
    """Return the paths of two files: one whose store the processes share, and one without."""
    shared = Path(os.environ["AUTHMAIL_FILE"])
    return shared, shared.with_name("alone.toml")


def send(deliveries, ask):
    """Send without a loop."""
    began = time.monotonic()
    try:
        return answered(ask, began, deliveries[ask["alone"]].send(message_of(ask)))
    except SendError as error:
        return answered(ask, began, error=error)


async def send_async(deliveries, ask):
    """Send with one."""
    began = time.monotonic()
    try:
        return answered(ask, began, await deliveries[ask["alone"]].send(message_of(ask)))
    except SendError as error:
        return answered(ask, began, error=error)
