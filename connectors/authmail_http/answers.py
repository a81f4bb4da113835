"""What an endpoint's answer means, as data. Its status decides (RFC 9110 section 15, RFC 6585, RFC 8470)."""

from authmail import (
    AccountError,
    Answer,
    Answers,
    Meaning,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Reason,
    Repeat,
    Throttled,
    header,
)
from authmail_http.config import HttpConfig

_ID_KEYS = ("messageId", "message_id", "id")
_LONGEST_ID = 200
_ELSEWHERE = "the endpoint does not take posts here; check its URL"

_FAULT = Meaning(
    OutcomeUnknown, Reason.PROVIDER, "the endpoint had a fault; it is not known whether the endpoint took the message"
)
#: A 503 of the endpoint's own: it says when to come back, or why in JSON.
_BUSY = Meaning(NotSent, Reason.PROVIDER, "the endpoint is not available now")


def _unavailable(answer: Answer) -> Meaning:
    # A proxy says 503 as well, also where it lost the connection to an endpoint that had the message.
    return _BUSY if _members(answer) or "Retry-After" in answer.reply.headers else _FAULT


def _message_id(answer: Answer) -> str | None:
    """Return the answer's id, else the one that was sent: any 2xx is acceptance, as with the reference."""
    ids = (answer.text(key, numbers=True) for key in _ID_KEYS)
    found = next((found for found in ids if found and len(found) <= _LONGEST_ID and found.isprintable()), None)
    return found or (answer.request.id if answer.request else None)


def _members(answer: Answer) -> dict[str, object]:
    return answer.members if isinstance(answer.members, dict) else {}


def _code(answer: Answer) -> str | None:
    """Return the code of an error in JSON: ``{"code", "message"}``, also below ``error``."""
    inner = ("error",) if isinstance(answer.value("error"), dict) else ()
    return answer.text(*inner, "code", numbers=True)


def _words(answer: Answer) -> str | None:
    """Return the words of an error: those beside its code, or RFC 9457's members; else what is no JSON, as it is."""
    inner = ("error",) if isinstance(answer.value("error"), dict) else ()
    words = (
        answer.value(*inner, "message"),
        answer.value("error"),
        answer.value(*inner, "detail"),
        answer.value(*inner, "title"),
    )
    said = next((word for word in (*words, answer.value("message")) if isinstance(word, str) and word.strip()), None)
    return said or (None if _members(answer) else answer.reply.text.strip() or None)


def _repeat(config: HttpConfig) -> Repeat:
    """An endpoint that honours the id makes one mail of both requests; whether it does is not known."""
    return Repeat.HARMLESS if config.repeat else Repeat.NEVER


ANSWERS = Answers(
    provider="the endpoint",
    message_id=_message_id,
    code=_code,
    words=_words,
    request_id=header("X-Request-Id"),
    repeat=_repeat,
    spoken=None,  # its words are its own, of whatever it stands for: by the contract the status decides
    meanings={
        401: Meaning(AccountError, Reason.CREDENTIALS, "the endpoint refuses the authorization or signature; check both"),
        402: Meaning(AccountError, Reason.QUOTA, "the endpoint asks for payment"),
        403: Meaning(AccountError, Reason.PERMISSION, "the endpoint forbids it; check authorization, signature and its rules"),
        404: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
        405: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
        407: Meaning(AccountError, Reason.CONFIG, "a proxy in between asks for a password"),
        # A server that waited for the rest of a request says 408; so do many whose own provider did not answer in time.
        408: Meaning(
            OutcomeUnknown, Reason.TIMEOUT, "the endpoint ran out of time; it is not known whether the endpoint took the message"
        ),
        # The first request of this id is being handled, or was.
        409: Meaning(
            OutcomeUnknown, Reason.PROVIDER, "the endpoint knows this id already; whether that mail went out is not known"
        ),
        410: Meaning(AccountError, Reason.ENDPOINT, "the endpoint is gone; check its URL"),
        411: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
        413: Meaning(MessageRejected, Reason.CONTENT, "the endpoint finds the message too large"),
        414: Meaning(AccountError, Reason.ENDPOINT, "the endpoint finds its URL too long; check it"),
        415: Meaning(AccountError, Reason.ENDPOINT, "the endpoint does not take JSON; check its URL"),
        421: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
        425: Meaning(NotSent, Reason.PROVIDER, "the endpoint does not want it yet"),
        426: Meaning(AccountError, Reason.ENDPOINT, "the endpoint wants another protocol; check its URL, maybe for https"),
        429: Meaning(Throttled, Reason.RATE, "the endpoint asks to send slower"),
        # What goes there is the same for every message, but for an id and a signature.
        431: Meaning(AccountError, Reason.CONFIG, "the endpoint finds the headers too large; check those of the settings"),
        501: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
        # A gateway in between: what stands behind it may have taken the message.
        502: Meaning(
            OutcomeUnknown,
            Reason.PROVIDER,
            "something in between got no good answer from the endpoint; it is not known whether the endpoint took the message",
        ),
        503: _unavailable,
        504: Meaning(
            OutcomeUnknown,
            Reason.TIMEOUT,
            "something in between got no answer from the endpoint in time; it is not known whether the endpoint took the message",
        ),
        4: Meaning(MessageRejected, Reason.PROVIDER, "the endpoint refused the message"),
        5: _FAULT,
    },
)
