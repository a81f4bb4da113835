"""Faults that the emulator shows on demand, chosen by the recipient's part before the ``@``, as data."""

from collections.abc import Mapping

from authmail.sandbox import HTTP_FAULTS, Fault

# Any 2xx is acceptance here, so one that is not JSON is no fault.
_SHARED = {name: fault for name, fault in HTTP_FAULTS.items() if name != "garbage"}

#: Recipient's part before the ``@`` (also before a ``+``), lower case → what happens.
FAULTS: Mapping[str, Fault] = {
    "empty": Fault("a success with an empty body", 204, action="empty"),
    "invalid": Fault("the endpoint refuses the message", 422, "invalid_recipient"),
    "unauthorized": Fault("the endpoint refuses the authorization", 401, "unauthorized"),
    "forbidden": Fault("the endpoint forbids it", 403, "forbidden"),
    "not-found": Fault("there is no endpoint at this URL", 404, "not_found"),
    "too-large": Fault("the endpoint finds the message too large", 413, "too_large"),
    "known": Fault("the endpoint is handling a message of this id already", 409, "in_progress"),
    "throttled": Fault("too many messages, try again in 3 s", 429, "too_many", 3),
    "crash": Fault("a fault inside the endpoint", 500, "internal"),
    "busy": Fault("not available now, try again in 5 s", 503, "busy", 5),
    "unavailable": Fault("something in between finds the endpoint not available", 503, action="page"),
    "late": Fault("something in between got no answer from the endpoint in time", 504, action="page"),
    "lost": Fault("the first request is lost without an answer, the same one again is accepted", action="lose"),
    **_SHARED,
}
