import pytest
from aiohttp import web

import authmail
from authmail import AccountError, Egress, OutcomeUnknown, Reason
from authmail.sandbox import Refusal, Sandbox
from authmail_mailjet.emulator import MailjetEmulator

MAILJET = "mailjet-mail"
KEY, SECRET = MailjetEmulator().config["apiKey"], MailjetEmulator().config["secretKey"]


class Told(MailjetEmulator):
    """An account that tells something else of itself."""

    def __init__(self, **answers):
        super().__init__()
        self.answers = answers

    def tell(self, request):
        name = request.path.rpartition("/")[2]
        if name not in self.answers:
            return super().tell(request)
        if isinstance(self.answers[name], Refusal):
            raise self.answers[name]
        return web.json_response({"Data": self.answers[name]})


async def check(emulator, **change):
    connector = authmail.get_connector(MAILJET)
    async with Sandbox({MAILJET: emulator}) as sandbox:
        config = connector.validate_config(sandbox.config(MAILJET) | change, templates=True)
        report = await connector.check_account(config, egress=Egress.ANY)
        assert len(sandbox.inbox) == 0
        return report


def sender(email="*@Mail.Sandbox.Example", status="Active"):
    return [{"Email": "other@mail.example.com", "Status": "Active"}, {"Email": email, "Status": status}]


def keys(**change):
    return [
        {"APIKey": "another", "IsActive": False},
        {"APIKey": KEY, "SecretKey": SECRET, "IsActive": True, "Runlevel": "Normal"} | change,
    ]


async def test_tells_keys_and_sender():
    """Their states, without sending mail; the secret that the list of keys holds is not among them."""
    report = await check(MailjetEmulator())
    assert report.facts == {
        "Sender": "no-reply@mail.sandbox.example", "State of the sender": "Active", "State of the keys": "Normal",
    }  # fmt: skip
    assert report.warnings == ()
    assert SECRET not in repr(report)


@pytest.mark.parametrize("email", ["*@Mail.Sandbox.Example", "No-Reply@mail.sandbox.example"])
async def test_a_sender_is_an_address_or_a_whole_domain(email):
    """Whatever the case."""
    assert (await check(Told(sender=sender(email)))).warnings == ()


@pytest.mark.parametrize(
    ("answers", "path", "fact"),
    [
        ({"sender": []}, "from", {"State of the sender": "unknown"}), ({"sender": sender(status="Inactive")}, "from", {"State of the sender": "Inactive"}),
        ({"sender": sender("*@other.example")}, "from", {"State of the sender": "unknown"}), ({"sender": [5]}, "from", {}),
        ({"apikey": keys(Runlevel="Softlock")}, "apiKey", {"State of the keys": "Softlock"}),
        ({"apikey": keys(Runlevel=None, RunLevel="Softlock")}, "apiKey", {"State of the keys": "Softlock"}),
        ({"apikey": Refusal(403, "", "You are not authorized to access this resource.")}, "apiKey", {"State of the sender": "Active"}),
    ],
)  # fmt: skip
async def test_what_may_stop_mail_is_a_warning(answers, path, fact):
    """A sub-account may share the senders of another, and may not see its own keys."""
    report = await check(Told(**answers))
    assert [warning.path for warning in report.warnings] == [path]
    assert fact.items() <= report.facts.items()
    for language in ("fr", "zh-CN"):
        assert report.warnings[0].hint_in(language) != report.warnings[0].hint


@pytest.mark.parametrize(
    ("emulator", "change", "reason"),
    [
        (MailjetEmulator(), {"secretKey": "0" * 32}, Reason.CREDENTIALS), (Told(apikey=keys(IsActive=False)), {}, Reason.ACCOUNT),
        (Told(apikey=keys(Runlevel="Hardlock")), {}, Reason.ACCOUNT), (Told(sender=Refusal(401, "mj-0001", "suspended")), {}, Reason.ACCOUNT),
    ],
)  # fmt: skip
async def test_what_would_stop_every_mail_is_an_error(emulator, change, reason):
    """Wrong keys, and keys that are stopped; with a hint in every language."""
    with pytest.raises(AccountError) as caught:
        await check(emulator, **change)
    assert (caught.value.reason, caught.value.connector) == (reason, MAILJET)
    assert caught.value.hint_in("fr") != caught.value.hint


@pytest.mark.parametrize(
    "answers", [{"sender": None}, {"apikey": {"a": 1}}, {"sender": Refusal(500, "mj-0000", "Something went wrong")}]
)
async def test_what_cannot_be_read_tells_nothing(answers):
    """Somebody else may have answered."""
    with pytest.raises(OutcomeUnknown):
        await check(Told(**answers))
