"""The call itself. Resend joins requests by their key, so one without a clear answer is always made once more."""

import asyncio
import time
from typing import TYPE_CHECKING

from authmail import Email, OutcomeUnknown, Receipt, repeat_key, repeat_unanswered
from authmail_resend import answers
from authmail_resend.config import ResendConfig
from authmail_resend.request import send_email

if TYPE_CHECKING:
    from authmail import Http

# Seconds between questions while Resend still works on the first request.
_PAUSES = (0.3, 0.7, 1.5)


async def send(email: Email, config: ResendConfig, http: "Http", deadline: float) -> Receipt:
    """Send a mail.

    After a time-out, a cut or a fault the same request goes out once more under the same key. If Resend had taken the
    first, it answers with that mail's id and sends nothing (Idempotency keys; remembered for 24 hours).

    Args:
        email: the mail.
        config: the settings.
        http: posts the request.
        deadline: when the message's time is over.

    Raises:
        SendError: what the answer, or its absence, means.
    """
    request = send_email(email, config, key=repeat_key(email))

    async def attempt(limit: float | None) -> Receipt:
        for pause in (*_PAUSES, None):
            reply = await http.post(request.url, json=request.json, headers=request.headers, limit=limit)
            try:
                return answers.receipt(reply)
            except OutcomeUnknown as error:
                if error.code != answers.IN_FLIGHT or pause is None or time.monotonic() + pause > deadline:
                    raise
            await asyncio.sleep(pause)
        raise AssertionError  # the last round returns or raises

    return await repeat_unanswered(attempt, deadline, joined=True)
