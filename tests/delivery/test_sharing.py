"""Who shares limits and repeats is said by name; who shares a breaker has the same account."""

import asyncio
import os
import warnings
from itertools import pairwise

import pytest

import authmail
from authmail import AccountError, ConfigError, Limited, Mailer, Message, NotSent, OutcomeUnknown, Receipt, SendError
from authmail.delivery import Breaker, Dedupe, Delivery, Limit, Limits, MemoryStore, SQLiteStore

TEMPLATES = [{"usageType": "Generic", "subject": "{{code}}", "content": "<p>{{code}}</p>"}]


def code(number=1, **fields):
    return Message("zoe@example.com", "SignIn", {"code": f"{number:06}"}, **fields)


def resend(key="re_123456789_abcdefgh", sender="no-reply@example.com", **fields):
    return Mailer("resend-mail", {"apiKey": key, "from": sender} | fields, templates=TEMPLATES)


def limited(sender, store, **options):
    return Delivery(Dedupe(Limits(sender, store=store, recipient=Limit(2, 600)), store=store), **options)


async def test_tenants_with_names_are_apart_in_one_store(scripted):
    """One's key is not the other's, nor are its counts."""
    store = MemoryStore()
    one, two = (limited(scripted(Receipt(name)), store, name=name) for name in ("one", "two"))
    async with one, two:
        for delivery in (one, two):
            for number in range(2):
                answer = await delivery.send(code(number, idempotency_key=f"k{number}"))
                assert answer.message_id == delivery.name
            with pytest.raises(Limited):
                await delivery.send(code(3))


async def test_two_of_one_name_and_other_accounts_are_refused_while_one_is_open(scripted):
    """When the second is made; the words to type are in the hint."""
    store = MemoryStore()
    async with limited(scripted(), store) as one:
        with pytest.raises(ConfigError) as caught:
            limited(scripted(), store)
        (problem,) = caught.value.problems
        assert problem.path == "name"
        assert 'name = "…"' in problem.hint
        assert "replaces=" in problem.hint
        async with limited(scripted(), store, name="two"):
            with pytest.raises(ConfigError, match="two is in use"):
                limited(scripted(), store, name="two")
        assert await one.send(code()) == Receipt("1")
    async with limited(scripted(), store):  # one after another is fine
        pass


async def test_one_that_was_made_before_is_refused_when_it_first_sends(scripted):
    """Entered or not."""
    store = MemoryStore()
    one, two = limited(scripted(), store), limited(scripted(), store)
    await one.send(code())
    with pytest.raises(ConfigError):
        await two.send(code(2))
    with pytest.raises(ConfigError):
        async with two:
            pass
    await one.close()
    assert await two.send(code(3)) == Receipt("1")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
async def test_what_the_parent_has_open_is_no_childs(scripted):
    """A forked worker may have a delivery of its own with that name."""
    store = MemoryStore()
    async with limited(scripted(), store):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            try:
                limited(scripted(), store)._sharing.begin()
                os._exit(0)
            finally:
                os._exit(1)
        _, status = await asyncio.to_thread(os.waitpid, child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        with pytest.raises(ConfigError):
            limited(scripted(), store)


async def test_a_swap_takes_over_all_that_is_counted_and_remembered(scripted):
    """A new key or provider forgets nothing, and both are open for a while."""
    store = MemoryStore()
    async with limited(scripted(Receipt("old")), store, name="acme") as old:
        await old.send(code(1, idempotency_key="k"))
        async with limited(scripted(Receipt("new")), store, name="acme", replaces=old) as new:
            assert await new.send(code(1, idempotency_key="k")) == Receipt("old")
            assert await new.send(code(2)) == Receipt("new")
            with pytest.raises(Limited):
                await old.send(code(3))
            with pytest.raises(ConfigError):
                limited(scripted(), store, name="acme")


async def test_the_same_account_may_be_there_twice(tmp_path):
    """Two workers of one process, or a reload of the same file; the same file is the same store."""
    async with limited(resend(), SQLiteStore(tmp_path / "a.db")):
        limited(resend(), SQLiteStore(tmp_path / "a.db"))
        limited(resend(sender="Acme <hello@example.com>"), SQLiteStore(tmp_path / "a.db"))  # looks otherwise, is the same
        limited(resend("re_987654321_abcdefgh"), SQLiteStore(tmp_path / "b.db"))
        with pytest.raises(ConfigError):
            limited(resend("re_987654321_abcdefgh"), SQLiteStore(tmp_path / "x" / ".." / "a.db"))


def test_an_account_is_all_that_identifies_and_authenticates():
    """Who only knows a key's id has another account."""

    def account(connector, config):
        return Mailer(connector, config, templates=TEMPLATES).account(lambda *parts: "\0".join(parts))

    aliyun = {"accessKeyId": "LTAI5tOne", "accessKeySecret": "secret-of-it", "accountName": "a@mail.example.com"}
    smtp = {"host": "smtp.example.com", "port": 465, "auth": {"user": "zoe", "pass": "secret-1"}, "fromEmail": "a@example.com"}
    for connector, config, others, same in (
        ("aliyun-dm", aliyun, [{"accessKeyId": "LTAI5tTwo"}, {"accessKeySecret": "other"}, {"accountName": "b@mail.example.com"}],
         [{"fromAlias": "Acme"}, {"tagName": "codes"}]),
        ("smtp", smtp, [{"host": "other.example.com"}, {"auth": {"user": "zoe", "pass": "secret-2"}}, {"auth": {"user": "amy", "pass": "secret-1"}}],
         [{"replyTo": "b@example.com"}, {"customHeaders": {"X-A": "b"}}]),
    ):  # fmt: skip
        base = account(connector, config)
        assert all(account(connector, config | other) != base for other in others)
        assert all(account(connector, config | change) == base for change in same)


FILE = """
name = "{name}"
store = "authmail.db"

[senders.main]
connector = "resend-mail"
config = {{ apiKey = "{key}", from = "no-reply@example.com", templates = [] }}
"""


async def test_the_file_says_its_name(tmp_path):
    """And two files of one folder, store and name are refused, unless one takes over."""
    for number, (name, key) in enumerate(
        (("a", "re_111111111_abcdefgh"), ("a", "re_222222222_abcdefgh"), ("b", "re_333333333_abcdefgh"))
    ):
        (tmp_path / f"{number}.toml").write_text(
            'templates = "mails"\n' + FILE.format(name=name, key=key).replace(", templates = []", "")
        )
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "Generic.html").write_text("<title>{{code}}</title><p>{{code}}</p>")
    async with authmail.load(tmp_path / "0.toml") as one, authmail.load(tmp_path / "2.toml") as other:
        assert (one.name, other.name) == ("a", "b")
        with pytest.raises(ConfigError, match="a is in use"):
            authmail.load(tmp_path / "1.toml")
        async with authmail.load(tmp_path / "1.toml", replaces=one), authmail.load(tmp_path / "1.toml", name="c"):
            pass
    (tmp_path / "0.toml").write_text("version = 2\n" + FILE.format(name="a", key="re_111111111_abcdefgh"))
    with pytest.raises(ConfigError, match="version"):
        authmail.load(tmp_path / "0.toml")


@pytest.fixture
def no_provider(monkeypatch):
    """Mailers of one account, answered by a script; how often the provider was asked."""
    asked = []

    def mailer(answers, **fields):
        made = resend(**fields)

        async def send(message, *, timeout=None):
            asked.append(message)
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(made, "send", send)
        return made

    mailer.asked = asked
    return mailer


async def outcome(breaker, number=1):
    """Return what a breaker answers."""
    try:
        return await breaker.send(code(number))
    except SendError as error:
        return error


def test_processes_tell_each_other_that_a_breaker_is_open(no_provider, in_fake_time):
    """Each hears of it within a second; then one message tries for all, and all hear that it is in order again."""

    async def scenario():
        store = MemoryStore(clock=asyncio.get_running_loop().time)
        answers = [AccountError("the key is revoked", reason="credentials", code="invalid"), Receipt("1")]
        breakers = [Breaker(no_provider(answers), store=store, rest=10) for _ in range(3)]
        stranger = Breaker(no_provider([Receipt("2")], key="re_999999999_abcdefgh"), store=store)
        for breaker in breakers[1:]:
            breaker.hear_note(None)  # they have looked just now
        assert isinstance(await outcome(breakers[0]), AccountError)
        await asyncio.sleep(1.0)
        no_provider.asked.clear()
        for breaker in breakers:
            refused = await outcome(breaker)
            assert isinstance(refused, AccountError)
            assert (refused.phase, refused.reason, refused.code) == ("before", "credentials", "invalid")
            assert "the key is revoked" in refused.hint
        assert no_provider.asked == []
        assert await outcome(stranger) == Receipt("2")
        await asyncio.sleep(10)
        no_provider.asked.clear()
        answers[:] = [Receipt("1")]
        answered = await asyncio.gather(*(outcome(breaker) for breaker in breakers))
        assert len(no_provider.asked) == 1
        assert sorted(type(answer).__name__ for answer in answered) == ["AccountError", "AccountError", "Receipt"]
        await asyncio.sleep(1.0)
        assert [await outcome(breaker) for breaker in breakers] == [Receipt("1")] * 3
        assert {breaker.state for breaker in breakers} == {"closed"}

    in_fake_time(scenario())


def test_a_failed_try_makes_the_rest_longer_for_all(no_provider, in_fake_time):
    """Whoever tried."""

    async def scenario():
        loop = asyncio.get_running_loop()
        store = MemoryStore(clock=loop.time)
        breakers = [Breaker(no_provider([NotSent("down", reason="network")]), store=store, rest=10, failures=1) for _ in range(3)]
        for turn in (0, 1, 2, 0, 1, 2):
            await outcome(breakers[turn])
            await asyncio.sleep(1)
        begun = len(no_provider.asked)
        assert begun == 1
        asked_at = []
        for _ in range(300):
            for breaker in breakers:
                before = len(no_provider.asked)
                await outcome(breaker)
                asked_at += [round(loop.time())] * (len(no_provider.asked) - before)
            await asyncio.sleep(1)
        rests = [later - earlier for earlier, later in pairwise(asked_at)]
        assert rests[:3] == [pytest.approx(20, abs=2), pytest.approx(40, abs=2), pytest.approx(60, abs=2)]

    in_fake_time(scenario())


def test_a_store_that_fails_leaves_each_breaker_to_itself(no_provider, in_fake_time):
    """As without a store."""

    class Failing(MemoryStore):
        async def begin(self, claim, *, timeout):
            raise OSError("CANARY")

        async def note(self, key, text, *, keep, timeout):
            raise OSError("CANARY")

    async def scenario():
        answers = [AccountError("revoked", reason="credentials"), Receipt("1")]
        async with Breaker(no_provider(answers), store=Failing(), rest=10) as breaker:
            await outcome(breaker)
            assert isinstance(await outcome(breaker), AccountError)
            assert len(no_provider.asked) == 1
            await asyncio.sleep(10)
            assert await outcome(breaker) == Receipt("1")

    in_fake_time(scenario())


def test_a_note_of_another_release_is_nothing(no_provider, in_fake_time):
    """Neither does it raise."""

    async def scenario():
        store = MemoryStore(clock=asyncio.get_running_loop().time)
        mailer = no_provider([Receipt("1")])
        key = mailer.account(lambda *parts: store.digest("breaker", *parts))
        for text in (
            "",
            "{}",
            "[]",
            "5",
            '{"token": 1, "rest": "x", "cause": ["Nothing", {}]}',
            '{"token": "a", "rest": 1, "cause": ["os", {}]}',
        ):
            await store.note(key, text, keep=3600.0, timeout=1)
            answer = await outcome(Breaker(mailer, store=store))
            assert answer == Receipt("1") or isinstance(answer, NotSent)

    in_fake_time(scenario())


async def test_only_the_same_message_shares_a_key(scripted):
    """Recipient, type and code must agree; what else differs is the same message."""
    dedupe = Dedupe(scripted(Receipt("1"), Receipt("2")))
    first = Message("zoe@example.com", "SignIn", {"code": "123456", "at": 1}, idempotency_key="k")
    await dedupe.send(first)
    assert await dedupe.send(Message("zoe@example.com", "SignIn", {"code": "123456", "at": 2}, idempotency_key="k")) == Receipt(
        "1"
    )
    for other in (
        Message("amy@example.com", "SignIn", {"code": "123456"}, idempotency_key="k"),
        Message("zoe@example.com", "Register", {"code": "123456"}, idempotency_key="k"),
        Message("zoe@example.com", "SignIn", {"code": "654321"}, idempotency_key="k"),
        Message("zoe@example.com", "SignIn", {"code": "123456", "resetUrl": "https://example.com/x"}, idempotency_key="k"),
    ):
        with pytest.raises(SendError, match="another message"):
            await dedupe.send(other)


@pytest.mark.parametrize(
    ("answer", "stays"),
    [
        (lambda message: authmail.MessageRejected("no such mailbox", phase="after"), {"client", "account"}),
        (lambda message: authmail.MessageRejected("no address", phase="before"), set()),
        (lambda message: NotSent("down"), set()),
        (lambda message: authmail.Throttled("slow"), set()),
        (lambda message: AccountError("quota", reason="quota"), set()),
        (lambda message: OutcomeUnknown("cut"), {"recipient", "client", "account"}),
        (lambda message: Receipt("1"), {"recipient", "client", "account"}),
    ],
)
async def test_what_stays_counted(scripted, answer, stays):
    """Wrong addresses do not hammer an account without end, and cost nobody who has one."""
    for what, limit in (("recipient", "recipient"), ("client", "ip"), ("account", "account")):
        limits = Limits(scripted(answer(None)), **{"recipient": None, "ip": None, limit: Limit(1, 600)})
        await outcome_of(limits, code(ip="192.0.2.1"))
        again = await outcome_of(limits, code(ip="192.0.2.1"))
        assert isinstance(again, Limited) is (what in stays), what


async def outcome_of(sender, message):
    """Return what a sender answers."""
    try:
        return await sender.send(message)
    except SendError as error:
        return error
