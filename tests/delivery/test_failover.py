import pytest

from authmail import AccountError, Message, MessageRejected, NotSent, OutcomeUnknown, Receipt, TemplateError, Throttled
from authmail.delivery import Breaker, Failover


@pytest.mark.parametrize("error", [NotSent("down"), Throttled("slow"), AccountError("no"), OutcomeUnknown("cut")])
def test_goes_on_to_the_next_sender(scripted, in_fake_time, code, error):
    """Where the one before cannot have accepted the message, or a second mail is harmless."""
    one, two = scripted(error, name="one"), scripted(Receipt("2"), name="two")
    assert in_fake_time(Failover([one, two]).send(code)) == Receipt("2")


@pytest.mark.parametrize("error", [MessageRejected("no"), TemplateError("no")])
def test_never_on_a_rejection(scripted, in_fake_time, code, error):
    """No provider would answer otherwise, and asking many looks like abuse."""
    one, two = scripted(error, name="one"), scripted(Receipt("2"), name="two")
    with pytest.raises(MessageRejected):
        in_fake_time(Failover([one, two]).send(code))
    assert two.calls == []


def test_an_invitation_stops_where_the_outcome_is_unknown(scripted, in_fake_time, invitation):
    """Unless its type is said to be resent."""
    one, two = scripted(OutcomeUnknown("cut"), name="one"), scripted(Receipt("2"), name="two")
    with pytest.raises(OutcomeUnknown):
        in_fake_time(Failover([one, two]).send(invitation))
    assert two.calls == []
    again = Failover([one, two], on_unknown={"OrganizationInvitation": "resend"})
    assert in_fake_time(again.send(invitation)) == Receipt("2")


def test_unknown_stays_unknown_when_the_next_one_fails(scripted, in_fake_time, code):
    """Even if that one rejects the message."""
    one, two = scripted(OutcomeUnknown("cut"), name="one"), scripted(MessageRejected("no"), name="two")
    with pytest.raises(OutcomeUnknown) as caught:
        in_fake_time(Failover([one, two]).send(code))
    assert caught.value.tried == ("one: unknown (provider)", "two: rejected (provider)")


@pytest.mark.parametrize(
    ("errors", "kind", "retry_after"),
    [
        ([AccountError("no"), NotSent("down")], NotSent, None),
        ([NotSent("down"), AccountError("no")], NotSent, None),
        ([Throttled("slow", retry_after=9), Throttled("slow", retry_after=3)], Throttled, 3),
        ([Throttled("slow", retry_after=9), NotSent("down")], NotSent, None),
        ([AccountError("no"), AccountError("no")], AccountError, None),
    ],
)
def test_the_error_that_promises_most_speaks_for_all(scripted, in_fake_time, code, errors, kind, retry_after):
    """So the host tries again as soon as that makes sense."""
    senders = [scripted(error, name=str(number)) for number, error in enumerate(errors)]
    with pytest.raises(kind) as caught:
        in_fake_time(Failover(senders).send(code))
    assert caught.value.retry_after == retry_after
    assert len(caught.value.tried) == 2


def test_time_is_shared_where_a_second_mail_is_harmless(scripted, in_fake_time, code, invitation):
    """A hanging provider leaves the others their part; an invitation could not go on anyway, so it has all the time."""
    one, two, three = (scripted(NotSent("down"), name=name) for name in ("one", "two", "three"))
    with pytest.raises(NotSent):
        in_fake_time(Failover([one, two, three]).send(code, timeout=12))
    assert [sender.calls[0][2] for sender in (one, two, three)] == [pytest.approx(share) for share in (4, 6, 12)]
    with pytest.raises(NotSent):
        in_fake_time(Failover([one, two]).send(invitation, timeout=12))
    assert one.calls[-1][2] == pytest.approx(12)


def test_no_sender_is_asked_when_the_time_is_over(scripted, in_fake_time, code):
    """The first one took it all."""
    one, two = scripted(NotSent("slow"), name="one", takes=10), scripted(Receipt("2"), name="two")
    with pytest.raises(NotSent):
        in_fake_time(Failover([one, two]).send(code, timeout=10))
    assert two.calls == []


def test_a_provider_that_is_down_costs_nothing(scripted, in_fake_time, code):
    """Its breaker opens, and the second one is asked at once."""

    async def scenario():
        one, two = scripted(AccountError("no"), name="one", takes=3), scripted(Receipt("2"), name="two")
        failover = Failover([one, two])
        for _ in range(5):
            assert await failover.send(code) == Receipt("2")
        assert len(one.calls) == 1

    in_fake_time(scenario())


def test_breakers_are_shared_when_they_are_given(scripted, in_fake_time, code):
    """One account has one breaker, whichever way its messages come."""

    async def scenario():
        sender = scripted(AccountError("no"))
        breaker = Breaker(sender, name="shared")
        for _ in range(3):
            with pytest.raises(AccountError):
                await Failover([breaker]).send(code)
        assert len(sender.calls) == 1

    in_fake_time(scenario())


def test_a_mapping_names_the_senders_and_nobody_is_a_mistake(scripted, in_fake_time, code):
    """Names stand in what was tried."""
    failover = Failover({"main": scripted(NotSent("x")), "spare": scripted(NotSent("x"))})
    with pytest.raises(NotSent) as caught:
        in_fake_time(failover.send(code))
    assert [line.partition(":")[0] for line in caught.value.tried] == ["main", "spare"]
    with pytest.raises(ValueError, match="needs a sender"):
        Failover([])


def test_nobody_is_asked_who_could_not_answer_in_time(scripted, in_fake_time, code):
    """A twentieth of a second is not enough to be answered, and an answer that is late is unknown."""

    async def scenario():
        one, two = scripted(NotSent("down"), takes=9.95), scripted()
        with pytest.raises(NotSent) as caught:
            await Failover({"one": one, "two": two}).send(Message("a@b.co", "Notice", {}), timeout=10)
        assert caught.value.tried == ("one: not sent (provider)",)
        assert two.calls == []

    in_fake_time(scenario())


def test_a_breaker_of_the_hosts_own_is_not_wrapped_again(scripted):
    """Two routes share it, and with it what is known of the account."""
    breaker = Breaker(scripted())
    assert Failover([breaker]).inside == (breaker,)


def test_says_who_is_not_asked_now(scripted, in_fake_time, code):
    """Before and after the first one failed."""

    async def scenario():
        failover = Failover({"one": scripted(AccountError("no")), "two": scripted()})
        before = next(iter(failover.steps(code)))
        assert (before.what, before.decision) == ("senders", "one, then two")
        assert before.why == "each only where the one before did not take it"
        await failover.send(code)
        assert next(iter(failover.steps(code))).why == "not asked now, since they failed: one"
        assert failover.toward(code).name == "two"
        assert next(iter(Failover([scripted()]).steps(code))).why == "the only one"

    in_fake_time(scenario())


def test_a_rejection_is_the_last_word(scripted, in_fake_time, code):
    """Whatever others said before: it will never be taken; unless one of them may have taken it."""
    for first, last in (
        (NotSent("down"), MessageRejected),
        (AccountError("no"), MessageRejected),
        (OutcomeUnknown("cut"), OutcomeUnknown),
    ):
        with pytest.raises(last) as caught:
            in_fake_time(Failover([scripted(first), scripted(MessageRejected("no such mailbox"))]).send(code))
        assert len(caught.value.tried) == 2
