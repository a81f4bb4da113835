import pytest

from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Phase, Reason, Throttled
from authmail_smtp.replies import Reply, failure
from authmail_smtp.reply_text import words_of
from authmail_smtp.steps import Step

SENDER, RECIPIENT, DATA, CONTENT, LOGIN = Step.SENDER, Step.RECIPIENT, Step.DATA, Step.CONTENT, Step.LOGIN


@pytest.mark.parametrize(
    ("step", "reply", "kind", "reason"),
    [
        # Not now.
        (Step.GREETING, "421 busy", NotSent, Reason.PROVIDER),
        (SENDER, "421 4.3.2 shutting down", NotSent, Reason.PROVIDER),
        (LOGIN, "421 4.7.0 Too many login attempts, please try again later", Throttled, Reason.RATE),
        (CONTENT, "421 4.7.28 unusual rate of unsolicited mail", Throttled, Reason.RATE),
        (RECIPIENT, "450 4.2.0 greylisted", NotSent, Reason.PROVIDER),
        (RECIPIENT, "450 4.2.1 The user you are trying to contact is receiving mail too quickly.", NotSent, Reason.RECIPIENT),
        (RECIPIENT, "450 4.2.1 mailbox disabled for the moment", NotSent, Reason.RECIPIENT),
        (RECIPIENT, "450 4.1.8 <a@b.c>: Sender address rejected: Domain not found", NotSent, Reason.SENDER),
        (RECIPIENT, "450 4.7.25 Client host rejected: cannot find your hostname", NotSent, Reason.PROVIDER),
        (RECIPIENT, "451 4.3.0 <x>: Temporary lookup failure", NotSent, Reason.PROVIDER),
        (CONTENT, "451 4.3.0 queue file write error", NotSent, Reason.PROVIDER),
        (CONTENT, "451 4.4.1 next hop down", NotSent, Reason.NETWORK),
        (SENDER, "452 4.3.1 Insufficient system storage", NotSent, Reason.PROVIDER),
        (RECIPIENT, "452 4.2.2 The email account is over quota", NotSent, Reason.RECIPIENT),
        (RECIPIENT, "452 4.5.3 Too many recipients", Throttled, Reason.RATE),
        (CONTENT, "432 4.3.2 Concurrent connections limit exceeded", Throttled, Reason.RATE),
        (CONTENT, "454 Throttling failure: Maximum sending rate exceeded.", Throttled, Reason.RATE),
        (LOGIN, "454 4.7.0 Temporary authentication failure", NotSent, Reason.PROVIDER),
        (Step.TLS, "454 4.7.0 TLS not available due to local problem", NotSent, Reason.PROVIDER),
        # The account.
        (CONTENT, "454 Throttling failure: Daily message quota exceeded.", AccountError, Reason.QUOTA),
        (CONTENT, "550 5.4.5 Daily user sending limit exceeded", AccountError, Reason.QUOTA),
        (LOGIN, "535 5.7.8 Username and Password not accepted", AccountError, Reason.CREDENTIALS),
        (LOGIN, "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled", AccountError, Reason.CREDENTIALS),
        (LOGIN, "534 5.7.9 Application-specific password required", AccountError, Reason.CREDENTIALS),
        (LOGIN, "538 5.7.11 Encryption required", AccountError, Reason.CONFIG),
        (LOGIN, "504 5.5.4 Unrecognized authentication type", AccountError, Reason.CREDENTIALS),
        (LOGIN, "432 4.7.12 A password transition is needed", AccountError, Reason.CREDENTIALS),
        (SENDER, "530 5.7.0 Authentication Required", AccountError, Reason.CREDENTIALS),
        (SENDER, "530 5.7.0 Must issue a STARTTLS command first", AccountError, Reason.CONFIG),
        (SENDER, "503 5.5.1 authentication required", AccountError, Reason.CREDENTIALS),
        (SENDER, "553 5.7.1 <a@b.c>: Sender address rejected: not owned by user", AccountError, Reason.SENDER),
        (RECIPIENT, "553 5.7.1 <a@b.c>: Sender address rejected: not owned by user", AccountError, Reason.SENDER),
        (CONTENT, "554 Message rejected: Email address is not verified.", AccountError, Reason.SENDER),
        (CONTENT, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", AccountError, Reason.SENDER),
        (RECIPIENT, "554 5.7.1 <x@y.z>: Relay access denied", AccountError, Reason.PERMISSION),
        (RECIPIENT, "454 4.7.1 <x@y.z>: Relay access denied", AccountError, Reason.PERMISSION),
        (RECIPIENT, "550 5.7.1 Unable to relay", AccountError, Reason.PERMISSION),
        (RECIPIENT, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", AccountError, Reason.PERMISSION),
        (Step.GREETING, "554 5.7.1 blocked", AccountError, Reason.PERMISSION),
        (Step.GREETING, "554 no SMTP service here", AccountError, Reason.PERMISSION),
        (Step.GREETING, "500 what", AccountError, Reason.ENDPOINT),
        (Step.HELLO, "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname", AccountError, Reason.CONFIG),
        (Step.HELLO, "501 5.5.4 Invalid domain name", AccountError, Reason.CONFIG),
        (Step.TLS, "502 5.5.1 no", AccountError, Reason.ENDPOINT),
        (SENDER, "501 5.5.4 Syntax", AccountError, Reason.CONFIG),
        # The message.
        (RECIPIENT, "550 5.1.1 user unknown", MessageRejected, Reason.RECIPIENT),
        (RECIPIENT, "550 no such user", MessageRejected, Reason.RECIPIENT),
        (RECIPIENT, "556 5.1.10 null MX", MessageRejected, Reason.RECIPIENT),
        (RECIPIENT, "552 5.2.2 Mailbox full", MessageRejected, Reason.RECIPIENT),
        (RECIPIENT, "552 storage exceeded", MessageRejected, Reason.RECIPIENT),
        (CONTENT, "550 5.1.1 user unknown", MessageRejected, Reason.RECIPIENT),
        (SENDER, "552 5.3.4 Message size exceeds fixed limit", MessageRejected, Reason.CONTENT),
        (SENDER, "552 too big", MessageRejected, Reason.CONTENT),
        (CONTENT, "552 5.3.4 Error: message file too big", MessageRejected, Reason.CONTENT),
        (CONTENT, "554 5.7.1 spam message rejected", MessageRejected, Reason.CONTENT),
        (CONTENT, "550 5.7.26 unauthenticated mail", AccountError, Reason.SENDER),
        (DATA, "554 no valid recipients", MessageRejected, Reason.RECIPIENT),
        # Strange ones.
        (CONTENT, "251 hm", OutcomeUnknown, Reason.PROVIDER),
        (CONTENT, "354 go on", OutcomeUnknown, Reason.PROVIDER),
        (SENDER, "354 go on", NotSent, Reason.PROVIDER),
    ],
)  # fmt: skip
def test_replies_are_told_apart(step, reply, kind, reason):
    """Codes and words of Postfix, Exim, Gmail, Microsoft 365, Amazon SES and the RFCs; each says the step."""
    code, _, text = reply.partition(" ")
    error = failure(step, Reply(int(code), text), "mx.example.com:587")
    assert (type(error), error.reason, error.status) == (kind, reason, int(code))
    assert error.hint.startswith(f"{step} at mx.example.com:587: ")
    assert error.detail == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("4.2.0 Greylisted, try again in 300 seconds", 300), ("4.2.0 greylisted for 5 minutes", 300), ("4.7.1 Greylisting in action", 60),
        ("4.7.1 try later", 60), ("4.3.0 oops", None), ("4.2.0 greylisted, see 999999 seconds", 60), ("4.3.0 wait 10s", 10),
        ("4.3.0 try again in 1 hour", 3600), ("4.3.0 wait a minute", 60), ("4.3.0 come back in 00:05:30", 330), ("4.3.0 请10分钟后重试", 600), ("4.3.0 come back in 01:00:05", 3605),
        ("4.3.0 30秒后", 30), ("4.3.0 2小时后", 7200), ("4.3.0 in 24 hours", 86400), ("4.3.0 in 86401 seconds", None),
        ("4.3.0 in " + "9" * 5000 + " seconds", None), ("4.3.0 in ٣٠ seconds", None), ("4.3.0 in ３０ seconds", None), ("4.3.0 in 0 s", None),
    ],
)  # fmt: skip
def test_the_wait_of_a_server(text, seconds):
    """In its words; for greylisting a minute where it does not say."""
    assert failure(RECIPIENT, Reply(451, text)).retry_after == seconds


def test_an_enhanced_code_of_another_class_is_none():
    """A 5xx with 4.2.2 is what its reply code says."""
    assert Reply(550, "4.2.2 full").enhanced is None
    assert failure(RECIPIENT, Reply(550, "4.2.2 full")).code == "550"


def test_the_phase_tells_whether_it_may_be_about_this_message():
    """What is answered before the recipient was named is the same for every message; afterwards it may be this one's."""
    during = {Step.GREETING, Step.HELLO, Step.TLS, LOGIN, SENDER}
    for step in during | {RECIPIENT, DATA, CONTENT}:
        for code in (354, 421, 451, 550):
            assert failure(step, Reply(code, "no")).phase is (Phase.DURING if step in during else Phase.AFTER), (step, code)


def test_only_what_passes_has_a_wait():
    """A day's quota, or a mailbox that is gone, does not come back by waiting as long as some word says."""
    assert failure(CONTENT, Reply(550, "5.4.5 Daily limit, wait 10 s")).retry_after is None
    assert failure(RECIPIENT, Reply(550, "5.1.1 no such user, wait 10 s")).retry_after is None


def test_links_and_hosts_are_no_words():
    """A page's name may hold any word; what stands before it decides."""
    said = "5.1.1 no such user, see http://help.example/daily-spam-relay?rate limited.example (suspended.example)"
    assert words_of(said) == "no such user, see"
    assert words_of("请看:https://example.com/throttled 收件人不存在") == "请看: 收件人不存在"


def test_the_words_of_an_endless_reply_are_bounded():
    """They are looked through some seventy times."""
    assert len(words_of("word " * 10_000)) == 8000


def test_the_error_names_code_and_step():
    """The enhanced code where there is one, else the reply code; the host where it is known."""
    error = failure(RECIPIENT, Reply(550, "5.1.1 no"))
    assert (error.code, error.status) == ("5.1.1", 550)
    assert failure(RECIPIENT, Reply(550, "no (#5.2.1)")).code == "5.2.1"
    assert failure(RECIPIENT, Reply(550, "no")).code == "550"
    assert error.hint.startswith("naming the recipient (RCPT TO): ")
