"""Judges answers by a ledger of what the provider really accepted. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
from forking.asks import Ask


@attrs.frozen
class Answered:
    """What a server said to one ask.

    Args:
        id: the ask's.
        answer: ``accepted``, the name of an error, or ``nothing`` where none came.
        message_id: of the receipt.
        seconds: that the send took.
        process: the worker's id.
        complaints: what its store or another part warned of meanwhile.
    """

    id: int
    answer: str
    message_id: str | None = None
    seconds: float = 0.0
    process: int = 0
    complaints: Sequence[str] = ()

    @property
    def is_alone(self) -> bool:
        """Whether it came from the delivery without a store."""
        return self.id < -1


@attrs.frozen(kw_only=True)
class Promise:
    """What is promised.

    Args:
        most: mails that one recipient may have.
        seconds: within which each send has its answer.
        killed: workers were killed, which may leave ``unknown`` behind.
    """

    most: int
    seconds: float
    killed: bool = False


#: How an answer is called that says nobody knows.
UNKNOWN = ("OutcomeUnknown", "NoAnswerInTime")


#: How the warning begins that limits and repeats are one process's alone.
WARNING = "limits and repeats are known in this process alone"
#: How warnings begin that something was sent without a store's knowledge.
UNCOUNTED = (
    "sent without limits",
    "an answer could not be kept",
    "the record of an answer",
    "taking a message back",
    "nothing is heard of other processes",
)


def warned(answers: Iterable[Answered]) -> dict[int, int]:
    """Return how often each process warned that it is alone, of those that answered without a store."""
    said: Counter[int] = Counter()
    alone = set()
    for answer in answers:
        said[answer.process] += sum(complaint.startswith(WARNING) for complaint in answer.complaints)
        if answer.is_alone:
            alone.add(answer.process)
    return {process: said[process] for process in alone}


def judge(
    asked: Iterable[Ask], answers: Iterable[Answered], mails: Iterable[tuple[str, str]], promise: Promise
) -> dict[str, Any]:
    """Return figures, and under ``broken`` every promise that was not kept.

    Args:
        asked: what was asked for.
        answers: what was said; several for one ask, where it was asked again after a worker died.
        mails: recipient and code of each mail that went out.
        promise: what is promised.
    """
    asked, answers, sent = list(asked), list(answers), Counter(mails)
    said: defaultdict[int, list[Answered]] = defaultdict(list)
    for answer in answers:
        said[answer.id].append(answer)
    per_recipient = Counter(to for to, _ in sent.elements())
    demand = defaultdict(set)
    accepted, doubtful = defaultdict(set), set()
    for ask in asked:
        demand[ask.to].add(ask.code)
        for answer in said[ask.id]:
            if answer.answer == "accepted":
                accepted[ask.mail].add(answer.message_id)
            elif answer.answer in (*UNKNOWN, "nothing"):
                doubtful.add(ask.mail)
    kinds = Counter(answer.answer for answer in answers)
    allowed = {"accepted", "Limited"} | ({"nothing", *UNKNOWN} if promise.killed else set())
    complaints = Counter(one for answer in answers for one in answer.complaints if one.startswith(UNCOUNTED))
    unanswered = [ask.id for ask in asked if all(answer.answer == "nothing" for answer in said[ask.id])]
    slow = [answer.id for answer in answers if answer.seconds > promise.seconds]
    less = {to: per_recipient[to] for to, codes in demand.items() if per_recipient[to] < min(len(codes), promise.most)}
    broken = {
        "sent twice": [mail for mail, number in sent.items() if number > 1],
        "more than the limit": [to for to, number in per_recipient.items() if number > promise.most],
        "less than the limit": [] if promise.killed else list(less),
        "accepted and not sent": [mail for mail in accepted if mail not in sent],
        "sent and not accepted": [mail for mail in sent if mail not in accepted and not (promise.killed and mail in doubtful)],
        "two answers for one mail": [mail for mail, ids in accepted.items() if len(ids) > 1],
        "another answer": [kind for kind in kinds if kind not in allowed],
        "uncounted": list(complaints),
        "no answer": unanswered,
        "too late": slow,
    }
    return {
        "asked": len(asked),
        "processes": len({answer.process for answer in answers if answer.process}),
        "mails": sum(sent.values()),
        "accepted": kinds["accepted"],
        "limited": kinds["Limited"],
        "unknown": sum(kinds[kind] for kind in UNKNOWN),
        "twice": len(broken["sent twice"]),
        "over limit": len(broken["more than the limit"]),
        "uncounted": sum(complaints.values()),
        "hangs": len(unanswered) + len(slow),
        "longest": round(max((answer.seconds for answer in answers), default=0.0), 2),
        "broken": {what: found[:5] for what, found in broken.items() if found},
    }
