"""What a ledger says in numbers."""

from collections import Counter, defaultdict
from statistics import quantiles
from typing import Any

from judge import Promises, violations
from ledger import Ledger


def figures(ledger: Ledger, promises: Promises) -> dict[str, Any]:
    """Return counts, shares and times of a life, and every broken promise by its kind."""
    mails: Counter[int] = Counter(one.asked.message for one in ledger.ended if one.accepted)
    wanted = {call.message: call for call in ledger.calls if not call.cancelled and call.recipient.startswith("user")}
    answers = Counter(answer for call in ledger.calls for answer in call.answers)
    times = [call.ended - call.began for call in ledger.calls if "accepted" in call.answers]
    broken: dict[str, int] = defaultdict(int)
    for sentence in violations(ledger, promises):
        broken[_kind(sentence)] += 1
    return {
        "messages": len(wanted),
        "in the mailbox": sum(number in mails for number in wanted) / max(1, len(wanted)),
        "more than one mail": sum(count > 1 for count in mails.values()),
        "second invitations": sum(mails[number] > 1 for number, call in wanted.items() if not call.resends),
        "askings per message": len(ledger.asked) / max(1, len(wanted)),
        "answers": dict(answers.most_common()),
        "median seconds": quantiles(times, n=100)[49],
        "p99 seconds": quantiles(times, n=100)[98],
        "broken promises": dict(broken),
    }


def _kind(sentence: str) -> str:
    for words in (
        "second mail",
        "after its deadline",
        "but a caller was told",
        "but nobody took it",
        "breaker",
        "account error",
        "faster than its pace",
        "more than",
    ):
        if words in sentence:
            return words
    return "answers"
