"""What clients ask for: messages of which some are the same, and more to some people than a limit allows. Pure."""

from collections.abc import Iterator
from random import Random
from typing import Any

import attrs


@attrs.frozen
class Ask:
    """One request for a mail; one recipient and code is one mail, however often it is asked for.

    Args:
        id: counts from 0.
        to: the recipient.
        code: the code in the mail.
        key: the idempotency key, if there is one.
        alone: for the delivery without a store.
    """

    id: int
    to: str
    code: str
    key: str | None = None
    alone: bool = False

    @property
    def mail(self) -> tuple[str, str]:
        """What makes it the same mail as another."""
        return self.to, self.code

    def to_dict(self) -> dict[str, Any]:
        """Return it as it goes to a server."""
        return attrs.asdict(self)


def asks(number: int, most: int, seed: int = 1, start: int = 0) -> list[Ask]:
    """Return about so many asks; those for the same mail stand side by side, so that they are asked at once.

    Args:
        number: how many.
        most: mails that one recipient may have.
        seed: the same seed is the same order.
        start: the first id, code and recipient; runs of one store have their own.
    """
    random = Random(seed)
    found: list[list[tuple[str, str, str | None]]] = []
    code, count = start, 0
    while count < number:
        new = list(_groups(code, most))
        found += new
        code += sum(len({(to, said) for to, said, _ in group}) for group in new)
        count += sum(map(len, new))
    random.shuffle(found)
    flat = [one for group in found for one in group]
    return [Ask(start + place, *one) for place, one in enumerate(flat)]


def asks_alone(number: int) -> list[Ask]:
    """Return so many asks for the delivery without a store; of them it is judged only which workers warned."""
    return [Ask(-place, f"alone-{place}@example.com", f"{900_000 + place}", alone=True) for place in range(2, number + 2)]


def _groups(code: int, most: int) -> Iterator[list[tuple[str, str, str | None]]]:
    """Yield what a few people ask for: one mail each, a key that comes three times, double clicks, a flooded mailbox."""
    for number in range(code, code + 6):
        yield [(f"one-{number}@example.com", f"{number:06}", None)]
    code += 6
    for number in range(code, code + 4):
        yield [(f"keyed-{number}@example.com", f"{number:06}", f"key {number}")] * 3
    code += 4
    for number in range(code, code + 3):
        yield [(f"clicks-{number}@example.com", f"{number:06}", None)] * 2
    code += 3
    flooded = f"flooded-{code}@example.com"
    yield [(flooded, f"{number:06}", None) for number in range(code, code + 2 * most)]
