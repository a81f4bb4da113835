"""The very same request once more after no answer, for providers that tell a repeat from a second mail."""

import os
import re
import time
from collections.abc import Awaitable, Callable

from authmail.mail.email import Email
from authmail.mail.message import Message
from authmail.outcomes import OutcomeUnknown, Receipt, SendError

# Below this there is no time for a second attempt to be answered.
_SHORTEST_ATTEMPT = 0.2
# What any server takes in a header, and Resend at most.
_KEY = re.compile(r"[!-~]{1,256}")


def repeat_key(message: Message | Email) -> str:
    """Return the key by which a provider tells a repeat from a second mail: the message's own, else one made up now.

    Make it once per mail, before the first attempt. One that no header can hold, or longer than 256 characters, is
    hashed: the same key still gives the same text.
    """
    key = message.idempotency_key
    if not key:
        return os.urandom(16).hex()
    if _KEY.fullmatch(key):
        return key
    from hashlib import sha256  # imported late: it loads OpenSSL, which listing and validating do not need

    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


async def repeat_unanswered(
    attempt: Callable[[float | None], Awaitable[Receipt]], deadline: float, *, joined: bool = False
) -> Receipt:
    """Make an attempt, and after no answer the same one once more.

    Only for requests that cannot become two mails: the provider refuses or joins the second one by its idempotency key
    or nonce, or a second mail is harmless.

    Args:
        attempt: makes the attempt within so many seconds; None means within the time that the message has left. The
            first one has half of the time.
        deadline: when the message's time is over, on the clock of :func:`time.monotonic`.
        joined: the provider joins both by their key and gives the second the first one's answer, so that an answer
            which does not tell, such as a 500, is asked for again too.

    Raises:
        SendError: what the answer, or its absence, means. Whatever the second attempt meets, the first may have been
            accepted, so without a Receipt the outcome stays unknown.
    """
    try:
        return await attempt((deadline - time.monotonic()) / 2)
    except OutcomeUnknown as error:
        # With a status there was an answer. Only a provider that remembers the first can give a better one.
        if (error.status is not None and not joined) or deadline - time.monotonic() < _SHORTEST_ATTEMPT:
            raise
        first = error
    try:
        return await attempt(None)
    except SendError as error:
        second = error
    hint = f"{first.hint}; asked once more: {second.hint}"
    raise first.afresh(hint=hint, code=second.code, status=second.status, request_id=second.request_id, detail=second.detail)
