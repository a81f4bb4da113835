"""The call itself: one request, and after no answer the very same one once more where that is harmless."""

import time
from typing import TYPE_CHECKING

from authmail import Email, Message, Receipt, repeat_key, repeat_unanswered
from authmail_http import answers
from authmail_http.config import HttpConfig
from authmail_http.request import post

if TYPE_CHECKING:
    from authmail import Http


async def send(original: Message | Email, config: HttpConfig, http: "Http", deadline: float) -> Receipt:
    """Hand over a message or mail.

    An endpoint that honours the id makes one mail of both requests. Whether it does is not known, so only what is
    harmless twice is repeated.

    Args:
        original: what the host gave.
        config: the settings.
        http: posts the request.
        deadline: when the message's time is over.

    Raises:
        SendError: what the answer, or its absence, means.
    """
    request = post(original, config, identifier=repeat_key(original), now=int(time.time()))

    async def attempt(limit: float | None) -> Receipt:
        reply = await http.post(request.url, body=request.body, headers=request.headers, limit=limit)
        return answers.receipt(reply, request)

    if config.replay_on_timeout and original.repeatable:
        return await repeat_unanswered(attempt, deadline)
    return await attempt(None)
