"""Replies of odd form over a real connection: empty lines, other encodings, other digits, endless lines and numbers."""

import pytest

from authmail import AccountError, Egress, Email, MessageRejected, NotSent, OutcomeUnknown, Phase, Reason, SendError, Throttled

from .conftest import CODE, TEMPLATES

EHLO = "250-scripted\r\n250-AUTH PLAIN LOGIN\r\n250 {}"


def gbk(text):
    """Return a text whose bytes on the wire are GBK."""
    return text.encode("gbk").decode("utf-8", "surrogateescape")


async def failed(scripted, mailer_to, answers, **options):
    """Return the error that answers come to."""
    async with scripted(answers) as server, mailer_to(server.port, **options) as mailer:
        with pytest.raises(SendError) as caught:
            await mailer.send(CODE)
    return caught.value


@pytest.mark.parametrize(
    "answers",
    [
        {"GREETING": "\r\n220 scripted"}, {"EHLO": "\r\n" + EHLO.format("8BITMIME")}, {"EHLO": "\n\n" + EHLO.format("8BITMIME")},
        {"AUTH": "\r\n235 ok"}, {"MAIL": "250 ok\r\n"}, {"MAIL": "250 ok\r\n\r\n", "RCPT": "\r\n\r\n250 ok\r\n"}, {"DATA": "\r\n354 go on"},
        {"DOT": "\r\n250 2.0.0 Ok: queued as 4bXyZ1\r\n"},
    ],
)  # fmt: skip
async def test_empty_lines_before_and_between_replies_are_read_over(scripted, mailer_to, answers):
    """The mail goes out once, and the connection serves the next one."""
    async with scripted(answers) as server, mailer_to(server.port) as mailer:
        first, second = await mailer.send(CODE), await mailer.send(CODE)
    assert (first.request_id, second.request_id) == ("4bXyZ1", "4bXyZ1")
    assert (len(server.mails), server.connections) == (2, 1)


async def test_an_empty_line_is_no_answer(scripted, mailer_to):
    """After the mail's end it is silence: nobody knows whether the mail was taken."""
    error = await failed(scripted, mailer_to, {"DOT": ""}, socketTimeout=200)
    assert isinstance(error, OutcomeUnknown)
    error = await failed(scripted, mailer_to, {"RCPT": "\r\n\r\n"}, socketTimeout=200)
    assert (type(error).__mro__[1], error.reason) == (NotSent, Reason.TIMEOUT)


@pytest.mark.parametrize(
    "size", ["SIZE", "SIZE 0", "SIZE " + "9" * 5000, "SIZE ١٠٠", "SIZE １００", "SIZE -1", "SIZE 1e3", "SIZE x", "SIZE 9 9"]
)
async def test_a_size_that_is_none_limits_nothing(scripted, mailer_to, smtp, raw, size):
    """RFC 1870: without a number, or with 0, no limit is told. Nothing raises, and a large mail goes out."""
    async with scripted({"EHLO": EHLO.format(size)}) as server, mailer_to(server.port) as mailer:
        await mailer.send(Email("zoe@example.com", "s", text="x" * 2000))
        config = smtp.validate_config(raw | {"port": server.port}, templates=TEMPLATES)
        report = await smtp.check_account(config, egress=Egress.ANY, timeout=2.0)
    assert len(server.mails) == 1
    assert "Largest mail" not in report.facts


@pytest.mark.parametrize("step", ["GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("code", ["２５０ ok", "٥٥٠ no", "55O no", "+50 no", " 550 no"])
async def test_a_code_in_other_digits_is_no_reply(scripted, mailer_to, step, code):
    """Nothing of the mail was said; host and port are in doubt."""
    error = await failed(scripted, mailer_to, {step: code})
    assert (type(error), error.reason, error.phase) == (NotSent, Reason.PROVIDER, Phase.DURING)


@pytest.mark.parametrize("code", ["２５０ ok", "٢٥٠ ok", " 250 ok"])
async def test_a_code_in_other_digits_after_the_mail_is_unknown(scripted, mailer_to, code):
    """Nothing but 250 is acceptance."""
    assert isinstance(await failed(scripted, mailer_to, {"DOT": code}), OutcomeUnknown)


async def test_a_line_of_three_thousand_characters(scripted, mailer_to):
    """It is read whole, and its end decides as well as its beginning; the error shows a part."""
    error = await failed(scripted, mailer_to, {"RCPT": f"550-{'x' * 3000}\r\n550 {'y ' * 1400} daily sending quota exceeded"})
    assert (type(error), error.reason) == (AccountError, Reason.QUOTA)
    assert len(error.detail) <= 501
    async with scripted({"DOT": "250 " + "z" * 3000}) as server, mailer_to(server.port) as mailer:
        assert (await mailer.send(CODE)).request_id is None


@pytest.mark.parametrize(
    ("step", "said", "kind", "reason", "shown"),
    [
        ("AUTH", "535 Error: 请使用授权码登录。详情请看: http://service.mail.qq.com", AccountError, Reason.CREDENTIALS, "请使用授权码登录"),
        ("MAIL", "501 发件人与登录账号不一致", AccountError, Reason.SENDER, "发件人与登录账号不一致"),
        ("RCPT", "550-发送频率过高\r\n550 请5分钟后重试", Throttled, Reason.RATE, "发送频率过高 请5分钟后重试"),
        ("RCPT", "550 收件人不存在", MessageRejected, Reason.RECIPIENT, "收件人不存在"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoded", [gbk, str], ids=["gbk", "utf-8"])
async def test_chinese_replies_are_read_in_gbk_too(scripted, mailer_to, encoded, step, said, kind, reason, shown):
    """QQ, NetEase and Aliyun answer in either."""
    error = await failed(scripted, mailer_to, {step: encoded(said)})
    assert (type(error), error.reason) == (kind, reason)
    assert shown in error.detail


async def test_latin_1_is_not_taken_for_chinese(scripted, mailer_to):
    """Its accents become replacement characters, and the words are read all the same."""
    said = "550 5.1.1 adresse refusée, créée par erreur: user unknown".encode("latin-1").decode("utf-8", "surrogateescape")
    error = await failed(scripted, mailer_to, {"RCPT": said})
    assert (type(error), error.reason) == (MessageRejected, Reason.RECIPIENT)
    assert error.detail == "5.1.1 adresse refus\ufffde, cr\ufffd\ufffde par erreur: user unknown"


@pytest.mark.parametrize(
    ("answers", "phase"),
    [
        ({"GREETING": "554 no!"}, Phase.DURING), ({"EHLO": "550 no"}, Phase.DURING), ({"AUTH": "535 no"}, Phase.DURING),
        ({"MAIL": "550 no"}, Phase.DURING), ({"RCPT": "550 no"}, Phase.AFTER), ({"DATA": "554 no"}, Phase.AFTER), ({"DOT": "554 no"}, Phase.AFTER),
    ],
)  # fmt: skip
async def test_the_phase_tells_the_step(scripted, mailer_to, answers, phase):
    """Whoever counts failures knows whether a refusal may be about one recipient."""
    assert (await failed(scripted, mailer_to, answers)).phase is phase
