"""A stranger who mistypes an address cannot stop anybody's mail; a dead provider is noticed all the same."""

import asyncio

import pytest
from strangers import lived

from authmail import AccountError, Message, NotConnected, NotSent, OutcomeUnknown, Receipt, SendError
from authmail.delivery import Breaker
from authmail.http.reply import Reply
from authmail.testing.fake_time import run_in_fake_time
from authmail_http.answers import ANSWERS as HTTP
from authmail_resend.answers import ANSWERS as RESEND
from authmail_smtp.replies import Reply as SmtpReply
from authmail_smtp.replies import failure
from authmail_smtp.steps import Step


def smtp(code, text, step=Step.RECIPIENT):
    return failure(step, SmtpReply(code, text)).afresh(connector="simple-mail-transfer-protocol")


def http(answers, connector, status, body=b""):
    return answers.failure(Reply(status, {"Content-Type": "application/json"}, body)).afresh(connector=connector)


#: What servers say of a single address, judged by the real connectors.
SAID = {
    "450 4.1.2": smtp(450, "4.1.2 <x@nowhere.example>: Recipient address rejected: Domain not found"),
    "450 4.2.0": smtp(450, "4.2.0 <x@y.example>: Recipient address rejected: Greylisted"),
    "451 4.4.3": smtp(451, "4.4.3 Temporary server error. Please try again later"),
    "452 4.2.2": smtp(452, "4.2.2 Mailbox full"),
    "550 5.1.1": smtp(550, "5.1.1 User unknown"),
    "550 5.7.1": smtp(550, "5.7.1 Recipient refused"),
    "451 at the dot": smtp(451, "4.3.0 Try again later", Step.CONTENT),
    **{str(status): http(HTTP, "http-email", status) for status in (400, 403, 404, 405, 409, 410, 415, 422)},
    "http 422 resend": http(RESEND, "resend-mail", 422, b'{"name":"validation_error","message":"Invalid `to` field."}'),
    "http 500 resend": http(
        RESEND, "resend-mail", 500, b'{"name":"application_error","message":"An unexpected error occurred."}'
    ),
}

#: What strangers type.
TYPED = {
    "domains that do not exist": lambda number, _: f"x{number}@nowhere{number}.example",
    "one mistyped domain": lambda number, _: f"x{number}@goood0.example",
    "people's own domains": lambda number, random: f"x{number}@good{random.randrange(3)}.example",
    "all of these": lambda number, random: (
        f"x{number}@{random.choice(['good0', 'good1', 'good2', f'no{number}', 'goood'])}.example"
    ),
}


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("strangers", [1, 10, 60])
def test_no_good_message_is_refused_because_of_strangers(said, strangers):
    """Whatever they type, and whatever is answered for it."""
    for typed in TYPED.values():
        day = lived(
            lambda to: None if to.startswith(("user", "zoe")) else SAID[said], strangers=strangers, addresses=typed, hours=0.25
        )
        assert len(day.good) > 100
        assert set(day.good) == {"accepted"}


#: What concerns everybody.
DEAD = {
    "no connection": NotConnected("refused"),
    "no login": smtp(535, "5.7.8 Authentication failed", Step.LOGIN),
    "a greeting that refuses": smtp(554, "5.3.2 not now", Step.GREETING),
    "a revoked key": http(RESEND, "resend-mail", 401, b'{"name":"invalid_api_key"}'),
    "a key without rights": http(HTTP, "http-email", 401),
    "a bad gateway": http(RESEND, "resend-mail", 502, b"<html>Bad gateway</html>"),
    "no answer in time": OutcomeUnknown("no answer", reason="timeout", phase="during"),
    "cut": OutcomeUnknown("cut", reason="network", phase="during"),
    "of somebody else's connector": NotSent("down"),
}


@pytest.mark.parametrize("dead", DEAD)
def test_a_dead_provider_is_noticed_within_five_messages(dead):
    """Also where all users are of one domain, or one user tries again and again."""
    for to in ("zoe{}@one.example", "zoe@one.example", "zoe{0}@domain{0}.example"):

        async def scenario(to=to):
            asked = []

            class Dead:
                async def send(self, message, *, timeout=None):
                    asked.append(message)
                    raise DEAD[dead].afresh()

            breaker = Breaker(Dead())
            for number in range(20):
                with pytest.raises(SendError):
                    await breaker.send(Message(to.format(number), "SignIn", {"code": "1"}), timeout=10.0)
            assert len(asked) <= 5
            assert breaker.state == "open"

        run_in_fake_time(scenario())


@pytest.mark.parametrize("dead", DEAD)
def test_one_success_in_a_hundred_does_not_keep_a_dead_one_closed(dead):
    """Nor do strangers whose addresses it refuses, quickly and in order."""
    asked = [0]

    def answer(to):
        asked[0] += 1
        if not to.startswith("user"):
            return SAID["550 5.1.1"]
        return None if asked[0] % 100 == 0 else DEAD[dead]

    for strangers in (0, 10):
        day = lived(answer, strangers=strangers, addresses=TYPED["one mistyped domain"], hours=2.0)
        assert day.good.count("refused") > 0.5 * len(day.good)


def test_what_is_answered_for_recipients_stops_mail_to_their_domains_alone():
    """Three recipients in two domains, five failures in a row; then one message tries, and a success ends it."""

    async def scenario():
        asked = []
        fails = {"one.example", "two.example"}

        class Provider:
            async def send(self, message, *, timeout=None):
                asked.append(message.to)
                if message.to.partition("@")[2] in fails:
                    raise SAID["450 4.2.0"].afresh()
                return Receipt("1")

        breaker = Breaker(Provider(), rest=10.0)

        async def send(to):
            try:
                return await breaker.send(Message(to, "SignIn", {"code": "1"}))
            except SendError as error:
                return error

        for to in ("a@one.example", "b@one.example", "c@one.example", "d@one.example", "e@one.example", "f@one.example"):
            await send(to)
        assert breaker.state == "closed"  # one domain
        await send("a@two.example")
        assert breaker.state == "open"
        count = len(asked)
        assert "is not asked now" in (await send("g@one.example")).hint
        assert len(asked) == count
        assert await send("a@three.example") == Receipt("1")
        assert breaker.state == "closed"
        for _ in range(3):
            await send("a@one.example")
            await send("a@two.example")
        assert breaker.state == "closed"  # two recipients
        await send("b@two.example")
        assert breaker.state == "closed"  # mail is accepted
        await asyncio.sleep(120)
        await send("b@two.example")
        assert breaker.state == "open"
        assert await send("b@three.example") == Receipt("1")
        await asyncio.sleep(120)
        for to in ("a@one.example", "b@one.example", "a@two.example", "b@two.example", "c@two.example"):
            await send(to)
        assert breaker.state == "open"
        await asyncio.sleep(10)
        assert breaker.state == "probing"
        fails.clear()
        assert await send("a@one.example") == Receipt("1")
        assert breaker.state == "closed"

    run_in_fake_time(scenario())


@pytest.mark.parametrize("reason", ["sender", "content"])
def test_an_account_error_that_may_be_one_templates_counts_by_recipients(reason):
    """Whoever can have such a message sent must not stop everybody's."""

    async def scenario():
        class Provider:
            async def send(self, message, *, timeout=None):
                raise AccountError("refused", reason=reason, code="554")

        breaker = Breaker(Provider())
        for number in range(10):
            with pytest.raises(AccountError):
                await breaker.send(Message(f"zoe{number}@one.example", "SignIn", {"code": "1"}))
        assert breaker.state == "closed"
        with pytest.raises(AccountError):
            await breaker.send(Message("zoe@two.example", "SignIn", {"code": "1"}))
        assert breaker.state == "open"

    run_in_fake_time(scenario())
