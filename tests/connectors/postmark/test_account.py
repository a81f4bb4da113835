import pytest
from aiohttp import web

import authmail
from authmail import AccountError, Egress, OutcomeUnknown, Reason
from authmail.sandbox import Sandbox
from authmail_postmark.emulator import PostmarkEmulator

POSTMARK = "postmark-mail"
LIVE = {"Name": "Prod", "DeliveryType": "Live"}
TEMPLATES = [{"usageType": name, "templateAlias": f"acme {name}"} for name in ("SignIn", "Register", "ForgotPassword")]


class Told(PostmarkEmulator):
    """A server that tells something else of itself, or of one of its parts."""

    def __init__(self, path, answer, status=200):
        super().__init__()
        self.path_, self.answer, self.status = path, answer, status

    def tell(self, request):
        return web.json_response(self.answer, status=self.status) if request.path == self.path_ else super().tell(request)


async def check(emulator, **change):
    connector = authmail.get_connector(POSTMARK)
    async with Sandbox({POSTMARK: emulator}) as sandbox:
        config = connector.validate_config(sandbox.config(POSTMARK) | change, templates=True)
        try:
            return await connector.check_account(config, egress=Egress.ANY)
        finally:
            assert len(sandbox.inbox) == 0


@pytest.mark.parametrize("name", ["server-check-200", "node-server-check"])
async def test_tells_server_and_stream(vectors, name):
    """As the captured answers have it, without sending mail."""
    [captured] = [one for one in vectors("postmark/captures")["captures"] if one["name"] == name]
    report = await check(Told("/server", captured["server_replies"][0]["body"]))
    assert report.facts == {"Server": "Prod", "Delivery": "Live", "Message stream": "outbound"}
    assert report.warnings == ()


@pytest.mark.parametrize(
    ("emulator", "change", "path", "says"),
    [
        (Told("/server", LIVE | {"DeliveryType": "Sandbox"}), {}, "serverToken", "sandbox server"),
        (PostmarkEmulator(), {"messageStream": "broadcast"}, "messageStream", "is not transactional: Broadcasts"),
        (PostmarkEmulator(), {"templates": [*TEMPLATES, {"usageType": "Generic", "templateAlias": "missing"}]}, "templates", "missing"),
        (Told("/templates/acme SignIn", {"Active": False}), {"templates": [*TEMPLATES, TEMPLATES[0]]}, "templates", "acme SignIn"),
    ],
)  # fmt: skip
async def test_what_loses_mail_in_silence_warns(emulator, change, path, says):
    """A sandbox, a stream for newsletters, a template that is not there."""
    [warning] = (await check(emulator, **change)).warnings
    assert (warning.path, says in warning.message) == (path, True)


@pytest.mark.parametrize(
    ("emulator", "change", "reason"),
    [
        (PostmarkEmulator(), {"serverToken": "wrong"}, Reason.CREDENTIALS), (PostmarkEmulator(), {"messageStream": "otp"}, Reason.CONFIG),
        (Told("/message-streams/outbound", {"MessageStreamType": "Transactional", "ArchivedAt": "2026-11-25"}), {}, Reason.CONFIG),
    ],
)  # fmt: skip
async def test_what_would_stop_every_mail_is_an_error(emulator, change, reason):
    """A wrong token, and a stream that cannot send."""
    with pytest.raises(AccountError) as caught:
        await check(emulator, **change)
    assert (caught.value.reason, caught.value.connector) == (reason, POSTMARK)


@pytest.mark.parametrize("path", ["/server", "/message-streams/outbound"])
@pytest.mark.parametrize("answer", [{}, [], {"DeliveryType": None}, {"ApiTokens": ["0f0f0f0f-0000-4000-8000-0000canary"]}])
async def test_what_is_no_answer_tells_nothing(path, answer, caplog):
    """Somebody else may have answered; and the tokens that the answer holds reach neither error nor log."""
    caplog.set_level("DEBUG")
    with pytest.raises(OutcomeUnknown) as caught:
        await check(Told(path, answer))
    assert "canary" not in f"{caught.value!r} {caught.value} {caught.value.detail} {caplog.text}"
