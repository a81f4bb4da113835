import asyncio

import pytest

from authmail import AccountError, Email, Limited, Message, NotSent, OutcomeUnknown, Receipt, SendError, Throttled
from authmail.delivery import Limit, Limits, MemoryStore, SQLiteStore, StoreError


def limited(sender, **options):
    """Limits whose time is the loop's."""
    return Limits(sender, store=MemoryStore(clock=lambda: asyncio.get_running_loop().time()), **options)


def to(address, **fields):
    return Message(address, "SignIn", {"code": "123456"}, **fields)


async def accepted(sender, message):
    """Whether a message got through."""
    try:
        await sender.send(message)
    except Limited:
        return False
    return True


def run(in_fake_time, scenario):
    return in_fake_time(scenario())


def test_ten_mails_in_ten_minutes_and_not_one_more(scripted, in_fake_time):
    """Refused before anything is sent, with the time after which there is room: a rolling window."""

    async def scenario():
        sender = scripted()
        limits = limited(sender)
        for _ in range(10):
            await limits.send(to("a@b.co"))
            await asyncio.sleep(1)
        with pytest.raises(Limited) as caught:
            await limits.send(to("a@b.co"))
        assert isinstance(caught.value, Throttled)
        assert (caught.value.retry_after, caught.value.phase, len(sender.calls)) == (590, "before", 10)
        await asyncio.sleep(590)
        assert await accepted(limits, to("a@b.co"))
        assert not await accepted(limits, to("a@b.co"))

    run(in_fake_time, scenario)


def test_logtos_cases_of_its_recipient_limit(scripted, in_fake_time, vectors):
    """Every case of message_rate_limit.json: case of the address, plus tags, a changed cap."""
    cases = vectors("logto/message_rate_limit")["cases"]
    assert len(cases) == 7

    async def scenario(case):
        override = case["override"] if isinstance(case["override"], dict) else {}
        limits = limited(scripted(), recipient=Limit(override.get("maxSendsPerRecipient", 10), case["window_seconds"]))
        for _ in range(case["sends_in_window"]):
            assert await accepted(limits, to(case["recipient"].upper()))
        assert await accepted(limits, to(case["recipient"])) == case["send_called"], case["id"]

    for case in cases:
        in_fake_time(scenario(case))


def test_recipients_are_told_apart_and_known_again(scripted, in_fake_time):
    """Whatever the case, the display name and the spelling of the domain."""

    async def scenario():
        limits = limited(scripted(), recipient=Limit(1, 60))
        assert await accepted(limits, to("zoe@bücher.example"))
        assert not await accepted(limits, to("Zoe <ZOE@XN--BCHER-KVA.example>"))
        assert not await accepted(limits, Email("zoe@bücher.example", "s", text="t"))
        assert not await accepted(limits, to('"zoe"@bücher.example'))
        assert not await accepted(limits, to(r'"Z\o\e"@bücher.example'))
        assert not await accepted(limits, to("zoe+x@bücher.example"))
        assert await accepted(limits, to("no address at all"))

    run(in_fake_time, scenario)


def test_failed_sends_do_not_count_and_unknown_ones_do(scripted, in_fake_time):
    """A mail that may have been accepted may be in the mailbox."""

    async def scenario():
        failing = limited(scripted(NotSent("x"), AccountError("x"), Throttled("x"), Receipt("1")), recipient=Limit(1, 60))
        for _ in range(3):
            with pytest.raises(SendError):
                await failing.send(to("a@b.co"))
        assert await accepted(failing, to("a@b.co"))
        unknown = limited(scripted(OutcomeUnknown("x")), recipient=Limit(1, 60))
        with pytest.raises(OutcomeUnknown):
            await unknown.send(to("a@b.co"))
        assert not await accepted(unknown, to("a@b.co"))

    run(in_fake_time, scenario)


def test_many_at_once_are_not_more_than_allowed(scripted, in_fake_time):
    """A place is taken before the mail goes out, not after."""

    async def scenario():
        sender = scripted(takes=1.0)
        limits = limited(sender)
        answers = await asyncio.gather(*(accepted(limits, to("a@b.co")) for _ in range(50)))
        assert (sum(answers), len(sender.calls)) == (10, 10)

    run(in_fake_time, scenario)


def test_a_cancelled_send_counts(scripted, in_fake_time):
    """It may have been accepted."""

    async def scenario():
        limits = limited(scripted(takes=1.0), recipient=Limit(1, 60))
        task = asyncio.create_task(limits.send(to("a@b.co")))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not await accepted(limits, to("a@b.co"))

    run(in_fake_time, scenario)


def test_clients_and_the_account_have_limits_of_their_own(scripted, in_fake_time):
    """An IPv6 client is its /64; a message without an address of a client has no limit by it."""

    async def scenario():
        limits = limited(scripted(), ip=Limit(2, 60), account=Limit(5, 60))
        assert await accepted(limits, to("1@b.co", ip="2001:db8::1"))
        assert await accepted(limits, to("2@b.co", ip="2001:db8::ffff:1"))
        assert not await accepted(limits, to("3@b.co", ip="2001:db8:0:0:8000::"))
        assert await accepted(limits, to("4@b.co", ip="2001:db8:0:1::1"))
        assert await accepted(limits, to("5@b.co", ip="192.0.2.1"))
        assert await accepted(limits, to("6@b.co", ip="::ffff:192.0.2.1"))
        assert not await accepted(limits, to("7@b.co"))

    run(in_fake_time, scenario)


def test_a_full_limit_takes_nothing_from_the_others(scripted, in_fake_time):
    """Counted under all of its keys, or under none."""

    async def scenario():
        limits = limited(scripted(), recipient=Limit(1, 60), ip=Limit(2, 600))
        assert await accepted(limits, to("a@b.co", ip="192.0.2.1"))
        for _ in range(5):
            assert not await accepted(limits, to("a@b.co", ip="192.0.2.1"))
        assert await accepted(limits, to("b@b.co", ip="192.0.2.1"))

    run(in_fake_time, scenario)


def test_tenants_in_one_store_do_not_count_together(scripted, in_fake_time):
    """Each has its scope."""

    async def scenario():
        store = MemoryStore()
        one, two = (Limits(scripted(), store=store, recipient=Limit(1, 60), scope=scope) for scope in ("one", "two"))
        assert await accepted(one, to("a@b.co"))
        assert await accepted(two, to("a@b.co"))
        assert not await accepted(one, to("a@b.co"))

    run(in_fake_time, scenario)


def test_a_store_that_fails_stops_nobody_unless_told_to(scripted, in_fake_time, caplog):
    """People could not sign in otherwise; the log says that nothing is counted."""

    class Broken(MemoryStore):
        async def begin(self, claim, *, timeout):
            raise StoreError("the store limits.db cannot be used: disk I/O error")

    async def scenario():
        assert await accepted(Limits(scripted(), store=Broken()), to("a@b.co"))
        assert "sent without limits" in caplog.text
        with pytest.raises(NotSent, match="disk I/O error") as caught:
            await Limits(scripted(), store=Broken(), strict=True).send(to("a@b.co"))
        assert (caught.value.reason, caught.value.phase) == ("config", "before")

    run(in_fake_time, scenario)


@pytest.mark.parametrize(("most", "seconds"), [(0, 60), (1, 0), (-1, 60)])
def test_a_limit_that_lets_nothing_through_is_a_mistake(most, seconds):
    """To send nothing at all, send nothing."""
    with pytest.raises(ValueError):
        Limit(most, seconds)


def test_a_slow_stores_time_is_the_messages_own(scripted, in_fake_time):
    """The sender gets what is left. A store that takes too much of it is not waited for."""

    class Slow(MemoryStore):
        async def begin(self, claim, *, timeout):
            await asyncio.sleep(3)
            return await super().begin(claim, timeout=timeout)

    async def scenario():
        sender = scripted()
        limits = Limits(sender, store=Slow(), recipient=Limit(1, 60))
        await limits.send(to("a@b.co"), timeout=3)
        await limits.send(to("a@b.co"), timeout=10)
        assert [timeout for _, _, timeout in sender.calls] == pytest.approx([0.95, 7])
        with pytest.raises(NotSent, match="did not answer in time"):
            await Limits(sender, store=Slow(), strict=True).send(to("a@b.co"), timeout=3)

    run(in_fake_time, scenario)


@pytest.mark.parametrize("call", ["begin", "end"])
@pytest.mark.parametrize("answer", [Receipt("1"), NotSent("down")])
def test_no_answer_is_lost_over_a_store_that_fails_in_its_own_way(scripted, in_fake_time, caplog, call, answer):
    """Its error is named by its type: the text may hold the password of a database."""

    async def failing(*_, **__):
        raise ConnectionError("redis://:CANARY@localhost")

    async def scenario():
        store = MemoryStore()
        setattr(store, call, failing)
        try:
            return await Limits(scripted(answer), store=store).send(to("a@b.co"))
        except SendError as error:
            return error

    assert type(in_fake_time(scenario())) is type(answer)
    assert "CANARY" not in caplog.text
    assert ("could not be kept" in caplog.text) is (call == "end" and isinstance(answer, NotSent))


async def test_who_leaves_before_anything_is_sent_does_not_count(scripted, tmp_path):
    """A browser that hangs up again and again must not use up somebody's mails."""
    sender = scripted()
    store = SQLiteStore(tmp_path / "store.db")
    async with Limits(sender, store=store, recipient=Limit(1, 600)) as limits:
        for _ in range(5):
            asker = asyncio.create_task(limits.send(to("a@b.co")))
            await asyncio.sleep(0)
            asker.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asker
        assert sender.calls == []
        assert await accepted(limits, to("a@b.co"))


def test_each_ipv4_client_counts_for_itself(scripted, in_fake_time):
    """However it is spelt; what is no address of a client is one as it stands."""

    async def scenario():
        limits = limited(scripted(), recipient=None, ip=Limit(1, 60))
        for ip, other in (
            ("192.0.2.1", "::ffff:192.0.2.1"),
            ("192.0.2.2", " 192.0.2.2 "),
            ("fe80::1%eth0", "fe80::2"),
            ("a b", "a b"),
        ):
            assert await accepted(limits, to("a@b.co", ip=ip))
            assert not await accepted(limits, to("a@b.co", ip=other))

    run(in_fake_time, scenario)


@pytest.mark.parametrize(
    ("message", "names"),
    [
        (to("a@b.co", ip="192.0.2.1"), ["recipient", "account", "client"]),
        (to("a@b.co"), ["recipient", "account"]),
        (Email("a@b.co", "s", text="t"), ["recipient", "account"]),
    ],
)
def test_explains_which_limits_count(scripted, message, names):
    """Those that are set, for what the message says of itself."""
    limits = Limits(scripted(), recipient=Limit(1, 60), ip=Limit(2, 60), account=Limit(3, 0.5))
    steps = list(limits.steps(message))
    assert [step.what for step in steps] == [f"limit per {name}" for name in names]
    assert steps[1].decision == "3 in 0.5 s"
    assert list(Limits(scripted(), recipient=None, ip=None).steps(message)) == []


def test_limits_of_two_lengths_count_apart_in_one_store(scripted, in_fake_time):
    """Two in ten seconds and three in a minute: each message counts once in each."""

    async def scenario():
        store = MemoryStore(clock=lambda: asyncio.get_running_loop().time())
        both = Limits(Limits(scripted(), store=store, recipient=Limit(3, 60)), store=store, recipient=Limit(2, 10))
        got_through = []
        for _ in range(5):
            got_through.append(await accepted(both, to("a@b.co")))
            await asyncio.sleep(4)
        assert got_through == [True, True, False, True, False]

    run(in_fake_time, scenario)


@pytest.mark.parametrize(
    "spelt",
    ["ZOE@b.co", "zoe+1@b.co", "zoe+news+2@b.co", '"zoe"@b.co', "z\u00adoe@b.co", "zo\u200be@b.co", "zoe@B.CO", "\ufeffzoe@b.co"],
)
def test_one_person_is_counted_once(spelt, scripted, in_fake_time):
    """However the address is spelt; a tag behind a plus leads to the same mailbox."""

    async def scenario():
        limits = limited(scripted(), recipient=Limit(1, 60), ip=None)
        assert await accepted(limits, to("zoe@b.co"))
        assert not await accepted(limits, to(spelt))
        assert await accepted(limits, to("zoe.b@b.co"))

    run(in_fake_time, scenario)


def test_accents_are_one_however_composed(scripted, in_fake_time):
    """NFC and NFD are the same letters to whoever types them."""

    async def scenario():
        limits = limited(scripted(), recipient=Limit(1, 60))
        assert await accepted(limits, to("zo\u00e9@b.co"))
        assert not await accepted(limits, to("zoe\u0301@b.co"))

    run(in_fake_time, scenario)


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ("203.0.113.7", "203.0.113.7:5555"),
        ("203.0.113.7", " 203.0.113.7, 10.0.0.1"),
        ("203.0.113.7", "::ffff:203.0.113.7"),
        ("2001:db8::7", "[2001:db8::7]:443"),
        ("2001:db8::7", "[2001:db8::8]"),
        ("2001:db8::7", '"[2001:db8::7]:443"'),
        ("2001:db8::7", "2001:db8::9%eth0"),
    ],
)
def test_one_client_is_counted_once(first, other, scripted, in_fake_time):
    """As proxies write it: with a port, in brackets, the first of a list."""

    async def scenario():
        limits = limited(scripted(), recipient=None, ip=Limit(1, 60))
        assert await accepted(limits, to("a@b.co", ip=first))
        assert not await accepted(limits, to("b@b.co", ip=other))
        assert await accepted(limits, to("c@b.co", ip="198.51.100.1"))
        assert await accepted(limits, to("d@b.co"))

    run(in_fake_time, scenario)


def test_a_client_has_a_limit_by_default(scripted, in_fake_time):
    """Sixty messages in ten minutes, whoever they go to; without an address there is nothing to count."""

    async def scenario():
        limits = limited(scripted())
        for number in range(60):
            assert await accepted(limits, to(f"a{number}@b.co", ip="203.0.113.7"))
            assert await accepted(limits, to(f"b{number}@b.co"))
        assert not await accepted(limits, to("z@b.co", ip="203.0.113.7"))
        assert await accepted(limits, to("z@b.co"))

    run(in_fake_time, scenario)
