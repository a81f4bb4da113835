"""How large a message may be: refused by name before anything is worked on."""

import pytest

from authmail import Egress, Email, Mailer, Message, MessageRejected, Phase, Reason, Template
from authmail.mail.bounds import check_payload


def nested(levels):
    """A payload of so many objects within each other."""
    payload = {"code": "1"}
    for _ in range(levels - 1):
        payload = {"user": payload}
    return payload


def itself():
    payload = {"code": "1"}
    payload["user"] = payload
    return payload


ALLOWED = [
    {},
    None,
    nested(8),
    {"a": "x" * (256 * 1024 - 1)},
    {"a": list(range(1_000))},
    {"a": {f"k{number}": number for number in range(999)}, "b": "x"},
    {"n": 10**29},
]
REFUSED = {
    "8 levels": [nested(9), nested(5_000), itself()],
    "1000 values": [
        {"a": list(range(1_001))},
        {str(number): [number, number] for number in range(501)},
        {"a": [[]] * 1_001},
        {"a": [[1] * 1_000] * 1_000},
    ],
    "262,144 characters": [{"a": "x" * 262_144}, {"a" * 262_145: 1}, {"a": ["x" * 1_000] * 300}],
    "30 digits": [{"n": 10**30}, {"a": [{"b": -(10**5000)}]}],
}


@pytest.mark.parametrize("payload", ALLOWED, ids=range(len(ALLOWED)))
def test_what_people_send_is_allowed(payload):
    """Up to the limit itself."""
    check_payload(payload)


@pytest.mark.parametrize(
    ("words", "payload"), [(words, payload) for words, several in REFUSED.items() for payload in several], ids=lambda value: None
)
async def test_a_payload_that_is_too_large_is_refused(words, payload):
    """By every connector in the same words; nobody is asked."""
    template = Template("Generic", "{{code}}", "x", "text/plain")
    config = {"apiKey": "re_1234567890", "from": "a@b.co", "endpoint": "http://127.0.0.1:9"}
    async with Mailer("resend-mail", config, templates=[template], egress=Egress.ANY) as mailer:
        with pytest.raises(MessageRejected, match=words) as caught:
            await mailer.send(Message("zoe@example.com", "SignIn", payload))
    assert (caught.value.reason, caught.value.phase) == (Reason.MESSAGE, Phase.BEFORE)


async def test_a_mail_that_is_too_large_is_refused():
    """Ten mebicharacters, subject and headers with the bodies."""
    config = {"apiKey": "re_1234567890", "from": "a@b.co", "endpoint": "http://127.0.0.1:9"}
    async with Mailer("resend-mail", config, templates=[], egress=Egress.ANY) as mailer:
        with pytest.raises(MessageRejected, match="10,485,760 characters"):
            await mailer.send(Email("zoe@example.com", "s", html="x" * 5 * 2**20, text="x" * 5 * 2**20))
