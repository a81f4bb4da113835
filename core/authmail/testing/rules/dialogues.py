"""The dialogue of SMTP: what each reply of the server means, step by step (RFC 5321)."""

from collections.abc import AsyncIterator

import attrs

from authmail.outcomes import MessageRejected, NotSent, Receipt, Throttled
from authmail.privacy import hide_fields
from authmail.testing.case import Case, Sent
from authmail.testing.dialogue import DialogueServer, replying
from authmail.testing.rules.rule import Rule

_STEPS = ("AUTH", "MAIL", "RCPT", "DATA", "<mail>")
_LATER, _NEVER = "451 Not now", "550 No"


@attrs.frozen(field_transformer=hide_fields)
class _Refused:
    """What came of a mail that the server refused at one step."""

    step: str
    reply: str
    sent: Sent
    commands: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.reply!r} to {self.step}: {self.sent.words}"


async def _refuse(case: Case) -> list[_Refused]:
    """Refuse a mail at each step, for good and for now."""
    found = []
    dialogue = case.success.dialogue
    for step in _STEPS:
        if any(line.upper().startswith(f"C: {step.upper()}") for line in dialogue):
            for reply in (_NEVER, _LATER):
                async with DialogueServer(replying(dialogue, step, reply)) as server:
                    sent = await case.send(server)
                    await server.left()
                found.append(_Refused(step, reply, sent, tuple(server.commands)))
    return found


async def refusal(case: Case) -> AsyncIterator[str]:
    """Look at outcomes, and at what the server was told after it."""
    # Who sends commands in a group gets the answers later (RFC 2920).
    in_groups = any("PIPELINING" in line.upper() for line in case.success.dialogue)
    for refused in await case.once("refused", lambda: _refuse(case)):
        after = [command for command in refused.commands if command.partition(" ")[0].upper() in _after(refused.step)]
        if isinstance(refused.sent.outcome, Receipt):
            yield f"{refused}"
        elif refused.step != "<mail>" and refused.sent.requests:
            yield f"{refused.reply!r} to {refused.step}: the mail was handed over all the same"
        elif after and not in_groups:
            yield f"{refused.reply!r} to {refused.step}: the client went on with {after[0].partition(' ')[0]}"


def _after(step: str) -> tuple[str, ...]:
    """Return the commands of a mail that come after a step."""
    return tuple(name for name in _STEPS[_STEPS.index(step) + 1 :] if name.isalpha())


async def reply_class(case: Case) -> AsyncIterator[str]:
    """Compare the outcome with the reply's first digit."""
    for refused in await case.once("refused", lambda: _refuse(case)):
        wrong = MessageRejected if refused.reply == _LATER else (NotSent, Throttled)
        if isinstance(refused.sent.outcome, wrong):
            yield f"{refused}"


async def leave(case: Case) -> AsyncIterator[str]:
    """Look at the last word, after a success and after a mail was refused."""
    async with DialogueServer(case.success.dialogue) as server:
        await case.send(server)
        await server.left()
    said = {"a success": tuple(server.commands)}
    for refused in await case.once("refused", lambda: _refuse(case)):
        said[f"{refused.reply!r} to {refused.step}"] = refused.commands
    for what, commands in said.items():
        if [command.upper() for command in commands[-1:]] != ["QUIT"]:
            yield f"after {what} the client left without it"


RULES = (
    Rule(
        "dialogue.refusal",
        "What the server refuses, at whatever step, is not accepted, and the mail goes no further.",
        "Read the reply to each command before the next one: 250 or 251 to MAIL and RCPT, 354 to DATA, 250 to the mail itself.",
        refusal,
        kinds=("smtp",),
    ),
    Rule(
        "dialogue.reply-class",
        "A 4xx is no rejection, for the same mail may be taken later; a 5xx is for good, and nobody sends it again.",
        "Decide by the first digit where neither enhanced code nor words say more: 4 is NotSent, 5 MessageRejected or AccountError.",
        reply_class,
        kinds=("smtp",),
    ),
    Rule(
        "dialogue.quit",
        "After a mail, taken or refused, the client says QUIT before it leaves (RFC 5321 section 4.1.1.10).",
        "Say QUIT when a connection is not kept, and when open_client ends.",
        leave,
        kinds=("smtp",),
    ),
)
