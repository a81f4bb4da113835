"""The call itself: one request, and after no answer the very same one once more where that is harmless."""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from authmail import Email, Receipt, repeat_unanswered
from authmail_aliyun_dm import answers
from authmail_aliyun_dm.config import AliyunDMConfig
from authmail_aliyun_dm.request import single_send_mail

if TYPE_CHECKING:
    from authmail import Http


def fresh_nonce() -> str:
    """Return 128 random bits as text: short or time-based nonces collide under load."""
    return os.urandom(16).hex()


async def send(email: Email, config: AliyunDMConfig, http: "Http", deadline: float) -> Receipt:
    """Send a mail.

    Direct Mail knows no idempotency key. After a time-out or cut the same signed request may go out once more: if the
    gateway had taken the first, it answers SignatureNonceUsed and sends nothing. A new nonce would send a second mail.

    Args:
        email: the mail.
        config: the settings.
        http: posts the request.
        deadline: when the message's time is over.

    Raises:
        SendError: what the answer, or its absence, means.
    """
    request = single_send_mail(email, config, nonce=fresh_nonce(), now=datetime.now(UTC))

    async def attempt(limit: float | None) -> Receipt:
        reply = await http.post(request.url, body=request.body, headers=request.headers, limit=limit)
        return answers.receipt(answers.read(reply.status, reply.headers, reply.body), request)

    if config.replay_on_timeout and email.repeatable:
        return await repeat_unanswered(attempt, deadline)
    return await attempt(None)
