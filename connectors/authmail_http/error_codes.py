"""What an endpoint's HTTP status means for the sender, as data (RFC 9110 section 15, RFC 6585, RFC 8470)."""

from authmail import AccountError, Meaning, MessageRejected, NotSent, OutcomeUnknown, Reason, Throttled

_ELSEWHERE = "the endpoint does not take posts here; check its URL"
_MAYBE = "it is not known whether the endpoint took the message"

#: Status → meaning. What is not here: other 4xx are :data:`REFUSED`, everything else is :data:`FAULT`.
STATUSES: dict[int, Meaning] = {
    401: Meaning(AccountError, Reason.CREDENTIALS, "the endpoint refuses the authorization or signature; check both"),
    402: Meaning(AccountError, Reason.QUOTA, "the endpoint asks for payment"),
    403: Meaning(AccountError, Reason.PERMISSION, "the endpoint forbids it; check authorization, signature and its rules"),
    404: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
    405: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
    407: Meaning(AccountError, Reason.CONFIG, "a proxy in between asks for a password"),
    # A server that waited for the rest of a request says 408; so do many whose own provider did not answer in time.
    408: Meaning(OutcomeUnknown, Reason.TIMEOUT, f"the endpoint ran out of time; {_MAYBE}"),
    # The first request of this id is being handled, or was.
    409: Meaning(OutcomeUnknown, Reason.PROVIDER, "the endpoint knows this id already; whether that mail went out is not known"),
    410: Meaning(AccountError, Reason.ENDPOINT, "the endpoint is gone; check its URL"),
    411: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
    413: Meaning(MessageRejected, Reason.CONTENT, "the endpoint finds the message too large"),
    415: Meaning(AccountError, Reason.ENDPOINT, "the endpoint does not take JSON; check its URL"),
    421: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
    425: Meaning(NotSent, Reason.PROVIDER, "the endpoint does not want it yet"),
    429: Meaning(Throttled, Reason.RATE, "the endpoint asks to send slower"),
    501: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
    # A gateway in between: what stands behind it may have taken the message.
    502: Meaning(OutcomeUnknown, Reason.PROVIDER, f"something in between got no good answer from the endpoint; {_MAYBE}"),
    504: Meaning(OutcomeUnknown, Reason.TIMEOUT, f"something in between got no answer from the endpoint in time; {_MAYBE}"),
}

REFUSED = Meaning(MessageRejected, Reason.PROVIDER, "the endpoint refused the message")
FAULT = Meaning(OutcomeUnknown, Reason.PROVIDER, f"the endpoint had a fault; {_MAYBE}")

#: A 503 of the endpoint's own: it says when to come back, or why in JSON.
BUSY = Meaning(NotSent, Reason.PROVIDER, "the endpoint is not available now")
