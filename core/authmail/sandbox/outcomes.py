"""What becomes of a message under each fault: found out by sending one, through a sandbox of its own."""

import asyncio

import attrs

from authmail import Egress, Mailer, Message, MessageRejected, OutcomeUnknown, SendError, get_connector
from authmail.templates.samples import starter_templates

# Much longer than a slow answer; what hangs is waited for less.
_TIMEOUT = 10.0
_HANGING = 3.0
# A machine that is busy with others must not make time-outs of answers.
_SIDE_BY_SIDE = 8


@attrs.frozen
class FaultOutcome:
    """What a fault comes to.

    Args:
        outcome: ``accepted``, or what the error is called.
        reason: of the error; empty if accepted.
        goes_on: whether `authmail.delivery` asks the next provider: ``yes``, ``no``, or ``codes`` where it does so only for
            a message whose second mail is harmless.
    """

    outcome: str
    reason: str = ""
    goes_on: str = "no"


async def outcomes_of(connector: str) -> dict[str, FaultOutcome]:
    """Return fault → what becomes of a message with a code, of one connector that is installed and has an emulator.

    Args:
        connector: factory id or target.
    """
    from authmail.sandbox.server import Sandbox  # imported late: it imports what serves this

    found = get_connector(connector)
    async with Sandbox({found.id: found.get_emulator()}) as sandbox:
        config = sandbox.config(found.id)
        async with Mailer(found, config, templates=starter_templates(), egress=Egress.ANY) as mailer:
            faults, turn = sandbox.faults(found.id), asyncio.Semaphore(_SIDE_BY_SIDE)
            waits = {name: _HANGING if fault.action == "hang" else _TIMEOUT for name, fault in faults.items()}
            ends = await asyncio.gather(*(_outcome(mailer, fault, wait, turn) for fault, wait in waits.items()))
    return dict(zip(faults, ends, strict=True))


async def _outcome(mailer: Mailer, fault: str, timeout: float, turn: asyncio.Semaphore) -> FaultOutcome:
    try:
        async with turn:
            await mailer.send(Message(f"{fault}@example.com", "SignIn", {"code": "000000"}), timeout=timeout)
    except SendError as error:
        goes_on = "no" if isinstance(error, MessageRejected) else "codes" if isinstance(error, OutcomeUnknown) else "yes"
        return FaultOutcome(error.outcome, str(error.reason), goes_on)
    return FaultOutcome("accepted")
