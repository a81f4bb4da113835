import time

import pytest

from authmail import (
    AccountError,
    Egress,
    Email,
    Mailer,
    Message,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Phase,
    Reason,
    Template,
    Throttled,
)
from authmail.outcomes import ConnectionCut, NoAnswerInTime
from authmail_aliyun_dm.emulator import FAULTS

ALIYUN = "aliyun-direct-mail"


def code_for(recipient):
    return Message(f"{recipient}@example.com", "SignIn", {"code": "482913"})


@pytest.fixture
def mailer_with(sandbox, raw):
    return lambda **change: Mailer(ALIYUN, raw | {"endpoint": sandbox.endpoint(ALIYUN)} | change, egress=Egress.ANY)


@pytest.mark.parametrize("signature", ["v3", "v1"])
@pytest.mark.parametrize("token", [None, "sandbox-token"])
async def test_both_signatures_are_accepted(mailer_with, sandbox, signature, token):
    """With and without temporary credentials, with awkward characters in the mail."""
    async with mailer_with(signature=signature, securityToken=token, fromAlias="小红", tagName="tag") as mailer:
        await mailer.send(Email("o'brien+tag@example.com", "* ~ +%20 你好🎉", html="<p>a+b&c=d; \"'!()</p>"))
    mail = await sandbox.inbox.wait()
    assert (mail.to, mail.subject, mail.html) == (("o'brien+tag@example.com",), "* ~ +%20 你好🎉", "<p>a+b&c=d; \"'!()</p>")
    assert (mail.sender, mail.extra["TagName"]) == ("小红 <no-reply@mail.sandbox.example>", "tag")


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        ({"accessKeySecret": "wrong"}, "SignatureDoesNotMatch", Reason.CREDENTIALS),
        ({"accessKeyId": "unknown"}, "InvalidAccessKeyId.NotFound", Reason.CREDENTIALS),
        ({"securityToken": "old"}, "InvalidSecurityToken.Malformed", Reason.CREDENTIALS),
        ({"accountName": "other@mail.sandbox.example"}, "InvalidMailAddress.NotFound", Reason.SENDER),
    ],
)
@pytest.mark.parametrize("signature", ["v3", "v1"])
async def test_wrong_settings_are_account_errors(mailer_with, change, code, reason, signature):
    """Each with the code of the service and a hint."""
    async with mailer_with(signature=signature, **change) as mailer:
        with pytest.raises(AccountError) as caught:
            await mailer.send(code_for("zoe"))
    assert (caught.value.code, caught.value.reason) == (code, reason)
    assert caught.value.hint
    assert caught.value.request_id


async def test_the_wrong_region_is_hinted_at(mailer_with):
    """A sender belongs to one region."""
    async with mailer_with(signature="v1", regionId="eu-central-1") as mailer:
        with pytest.raises(AccountError, match="check regionId"):
            await mailer.send(code_for("zoe"))


KINDS = {
    "throttled": Throttled, "spam": AccountError, "suppressed": MessageRejected, "quota": AccountError, "arrears": AccountError, "busy": NotSent,
    "crash": OutcomeUnknown, "html": OutcomeUnknown, "garbage": OutcomeUnknown, "no-envid": OutcomeUnknown, "cut": ConnectionCut,
    "cut-after": ConnectionCut, "redirect": AccountError,
}  # fmt: skip


@pytest.mark.parametrize("recipient", KINDS)
async def test_each_fault_has_its_outcome(mailer_with, recipient):
    """As the table of the sandbox's documentation says."""
    async with mailer_with() as mailer:
        with pytest.raises(KINDS[recipient]) as caught:
            await mailer.send(code_for(recipient))
    assert caught.value.connector == ALIYUN
    assert recipient != "throttled" or caught.value.retry_after == 3


@pytest.mark.parametrize("recipient", sorted(set(FAULTS) - set(KINDS) - {"timeout", "lost", "slow"}))
async def test_each_code_is_known(mailer_with, recipient):
    """Every documented code has a meaning of its own, with a hint, and none is taken for success."""
    async with mailer_with(replayOnTimeout=False) as mailer:
        with pytest.raises((MessageRejected, AccountError, Throttled, NotSent, OutcomeUnknown)) as caught:
            await mailer.send(code_for(recipient))
    assert caught.value.code == FAULTS[recipient].code
    assert caught.value.hint != "the provider refused the request; its code tells more"


# The same signed request once more.


async def test_a_lost_request_is_repeated(mailer_with, sandbox):
    """The first never arrived; the same one again is accepted, and one mail goes out."""
    async with mailer_with() as mailer:
        receipt = await mailer.send(code_for("lost"), timeout=2)
    assert receipt.message_id
    assert len(sandbox.inbox) == 1


@pytest.mark.parametrize("recipient", ["timeout", "cut-after"])
async def test_a_taken_request_is_not_sent_twice(mailer_with, sandbox, recipient):
    """The gateway had the first: it says so, one mail went out, and the outcome stays unknown."""
    async with mailer_with() as mailer:
        with pytest.raises(OutcomeUnknown, match="had received the request") as caught:
            await mailer.send(code_for(recipient), timeout=2)
    assert caught.value.code == "SignatureNonceUsed"
    assert len(sandbox.inbox) == 1


@pytest.mark.parametrize(
    ("change", "payload"),
    [
        ({"replayOnTimeout": False}, {"code": "482913"}),
        ({}, {"code": "482913", "link": "https://example.com/x"}),
        ({}, {"link": "https://example.com/x"}),
    ],
)
async def test_nothing_is_repeated_where_a_second_mail_would_harm(raw, sandbox, change, payload):
    """An invitation, or whoever switched it off, gets one attempt with all of the time."""
    config = raw | {"endpoint": sandbox.endpoint(ALIYUN)} | change
    begun = time.monotonic()
    async with Mailer(ALIYUN, config, templates=[Template("Invite", "s", "c")], egress=Egress.ANY) as mailer:
        with pytest.raises(NoAnswerInTime) as caught:
            await mailer.send(Message("lost@example.com", "Invite", payload), timeout=0.6)
    assert caught.value.phase is Phase.DURING
    assert time.monotonic() - begun > 0.5
    assert len(sandbox.inbox) == 0


async def test_a_slow_answer_within_half_the_time_is_no_reason_to_repeat(mailer_with, sandbox):
    """The first attempt has half of the time."""
    async with mailer_with() as mailer:
        assert (await mailer.send(code_for("slow"), timeout=8)).message_id
    assert len(sandbox.inbox) == 1


async def test_no_time_is_exceeded_by_repeating(mailer_with):
    """Both attempts together stay within the limit."""
    begun = time.monotonic()
    async with mailer_with() as mailer:
        with pytest.raises(OutcomeUnknown):
            await mailer.send(code_for("timeout"), timeout=0.8)
    assert time.monotonic() - begun < 5
