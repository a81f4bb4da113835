"""The very same request once more after no answer, for providers that tell a repeat from a second mail."""

import time
from collections.abc import Awaitable, Callable

from authmail.outcomes import OutcomeUnknown, Receipt, SendError

# Below this there is no time for a second attempt to be answered.
_SHORTEST_ATTEMPT = 0.2


async def repeat_unanswered(attempt: Callable[[float | None], Awaitable[Receipt]], deadline: float) -> Receipt:
    """Make an attempt, and after no answer the same one once more.

    Only for requests that cannot become two mails: the provider refuses or joins the second one by its idempotency key
    or nonce, or a second mail is harmless.

    Args:
        attempt: makes the attempt within so many seconds; None means within the time that the message has left. The
            first one has half of the time.
        deadline: when the message's time is over, on the clock of :func:`time.monotonic`.

    Raises:
        SendError: what the answer, or its absence, means. Whatever the second attempt meets, the first may have been
            accepted, so without a Receipt the outcome stays unknown.
    """
    try:
        return await attempt((deadline - time.monotonic()) / 2)
    except OutcomeUnknown as error:
        # With a status there was an answer, and asking again would not change it.
        if error.status is not None or deadline - time.monotonic() < _SHORTEST_ATTEMPT:
            raise
        first = error
    try:
        return await attempt(None)
    except SendError as error:
        second = error
    hint = f"{first.hint}; asked once more: {second.hint}"
    raise first.afresh(hint=hint, code=second.code, status=second.status, request_id=second.request_id, detail=second.detail)
