"""The call itself: one request, and after no answer the very same one once more where that is harmless."""

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from authmail import Email, OutcomeUnknown, Receipt, SendError
from authmail_aliyun_dm import answers
from authmail_aliyun_dm.config import AliyunDMConfig
from authmail_aliyun_dm.request import Request, single_send_mail

if TYPE_CHECKING:
    from authmail import Http

# Below this there is no time for a second attempt to be answered.
_SHORTEST_ATTEMPT = 0.2


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
    if not (config.replay_on_timeout and email.repeatable):
        return await _attempt(request, http)
    try:
        return await _attempt(request, http, limit=(deadline - time.monotonic()) / 2)
    except OutcomeUnknown as error:
        # With a status there was an answer, and asking again would not change it.
        if error.status is not None or deadline - time.monotonic() < _SHORTEST_ATTEMPT:
            raise
        first = error
    try:
        return await _attempt(request, http)
    except SendError as error:
        raise _still_unknown(first, error) from None


async def _attempt(request: Request, http: "Http", limit: float | None = None) -> Receipt:
    reply = await http.post(request.url, body=request.body, headers=request.headers, limit=limit)
    return answers.receipt(answers.read(reply.status, reply.headers, reply.body), request)


def _still_unknown(first: OutcomeUnknown, second: SendError) -> OutcomeUnknown:
    """Whatever the second attempt met, the first may have been accepted."""
    if second.code == "SignatureNonceUsed":
        hint = f"{first.hint}; the provider had received the request, but whether it took the mail is not known"
    else:
        hint = f"{first.hint}; the same request once more brought no answer that tells ({second.outcome}: {second.hint})"
    return first.afresh(hint=hint, code=second.code, status=second.status, request_id=second.request_id, detail=second.detail)
