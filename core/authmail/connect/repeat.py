"""The very same request once more after no answer, for providers that tell a repeat from a second mail."""

import os
import re
import time
from collections.abc import Awaitable, Callable
from enum import Enum

from authmail.http.deadline import SHORTEST_ATTEMPT
from authmail.mail.email import Mail
from authmail.outcomes import OutcomeUnknown, Receipt, SendError
from authmail.words.text import say

# What any server takes in a header, and Resend at most.
_KEY = re.compile(r"[!-~]{1,256}")
# Seconds between questions while a provider still works on the first request.
_PAUSES = (0.3, 0.7, 1.5)

Attempt = Callable[[float | None], Awaitable[Receipt]]


class Repeat(Enum):
    """What becomes of the very same request that is made a second time."""

    #: A second mail, or nobody knows: it is never made.
    NEVER = "never"
    #: Refused as a repeat, or a second mail: made only for mails of which a second one is harmless.
    HARMLESS = "harmless"
    #: The first one's answer, by the idempotency key: always made after an outcome that is not known.
    JOINED = "joined"


def key_of(mail: Mail) -> str:
    """Return the key by which a provider tells a repeat from a second mail: the message's own, else one made up now.

    Make it once per mail, before the first attempt. One that no header can hold, or longer than 256 characters, is
    hashed: the same key still gives the same text.
    """
    key = mail.idempotency_key
    if not key:
        return os.urandom(16).hex()
    if _KEY.fullmatch(key):
        return key
    from hashlib import sha256  # imported late: it loads OpenSSL, which listing and validating do not need

    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


async def ask_until_known(attempt: Attempt, mail: Mail, deadline: float, repeat: Repeat, in_flight: str = "") -> Receipt:
    """Make a request, and once more where its answer is missing and a repeat cannot do harm.

    Args:
        attempt: makes the request within so many seconds; None means within the time that the message has left. The
            first one has half of the time, where there may be a second.
        mail: what is sent.
        deadline: when the message's time is over, on the clock of :func:`time.monotonic`.
        repeat: what a repeat becomes.
        in_flight: the provider's code for "the first request of this key is still being worked on"; it is asked again
            after a while.

    Raises:
        SendError: what the answer, or its absence, means. Whatever the second attempt meets, the first may have been
            accepted, so without a Receipt the outcome stays unknown.
    """
    if repeat is Repeat.NEVER or (repeat is Repeat.HARMLESS and not mail.repeatable):
        return await attempt(None)
    try:
        return await _ask(attempt, (deadline - time.monotonic()) / 2, deadline, in_flight)
    except OutcomeUnknown as error:
        # With a status there was an answer. Only a provider that remembers the first can give a better one.
        is_answered = error.status is not None and repeat is not Repeat.JOINED
        if is_answered or deadline - time.monotonic() < SHORTEST_ATTEMPT:
            raise
        first = error
    try:
        return await _ask(attempt, None, deadline, in_flight)
    except SendError as error:
        second = error
    hint = say("{first}; asked once more: {second}", first=first.hint, second=second.hint)
    raise first.afresh(hint=hint, code=second.code, status=second.status, request_id=second.request_id, detail=second.detail)


async def _ask(attempt: Attempt, limit: float | None, deadline: float, in_flight: str) -> Receipt:
    """Make a request, and wait while the provider says that it still works on the first one of its key."""
    from asyncio import sleep  # imported late: listing and validating need no loop

    for pause in _PAUSES:
        try:
            return await attempt(limit)
        except OutcomeUnknown as error:
            if not in_flight or error.code != in_flight or time.monotonic() + pause > deadline:
                raise
        await sleep(pause)
    return await attempt(limit)
