"""Who shares limits and repeats is said, never guessed: by the name of a delivery."""

import os
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

from authmail.delivery.sender import Wrapper, wrappers_within
from authmail.delivery.stores import MemoryStore, SQLiteStore, Store
from authmail.delivery.stores.server import ServerStore
from authmail.delivery.stores.store import keyed_digest, new_secret
from authmail.delivery.trip import Claiming
from authmail.delivery.workers import warn_of_several_processes
from authmail.errors import ConfigError, Problem
from authmail.mailer import Mailer
from authmail.words.text import say

_SECRET = new_secret()


def reach_of(store: Store) -> str:
    """Return whose messages a store knows, in a word: of this ``process``, ``machine``, or of all ``machines`` that use it."""
    if isinstance(store, MemoryStore):
        return "process"
    return "machine" if isinstance(store, SQLiteStore) else "machines"


def where_shared(store: Store) -> str:
    """Say whose messages a store knows, for people."""
    if isinstance(store, ServerStore):
        return f"for all machines that share {store.place}"
    words = {"process": "in this process", "machine": "on this machine", "machines": "for all who share the store"}
    return words[reach_of(store)]


def account_of(sender: object) -> str:
    """Return what stands for a sender's account in this process; one that is no Mailer is itself."""
    if not isinstance(sender, Mailer):
        return f"{id(sender)}"
    return sender.account(lambda *parts: keyed_digest(_SECRET, parts))


def senders_within(wrapper: Wrapper) -> Iterator[object]:
    """Yield the innermost senders."""
    for one in wrappers_within(wrapper):
        yield from (part for part in one.inside if not isinstance(part, Wrapper) and hasattr(part, "send"))


def _scopes_within(wrapper: Wrapper, name: str) -> Iterator[tuple[Store, str]]:
    """Yield the stores that count or remember messages, and for whom."""
    for one in wrappers_within(wrapper):
        if isinstance(one, Claiming):
            yield one.store, one.scope or name


class Sharing:
    """What a delivery shares with others of this process, from its first message until it closes.

    Args:
        wrapper: the delivery.
        name: what it is called.
        replaces: the delivery that it takes over from, with all that is counted and remembered.
    """

    def __init__(self, wrapper: Wrapper, name: str, replaces: "Sharing | None") -> None:
        self._name = name
        self.scopes = list(_scopes_within(wrapper, name))
        self.accounts = {account_of(sender) for sender in senders_within(wrapper)}
        self.replaced = replaces
        self._begun = False
        self._refuse_strangers()

    def begin(self) -> None:
        """Note that the delivery is in use.

        Raises:
            ConfigError: another one of the same name and store, with other accounts, is in use.
        """
        if not self._begun:
            self._refuse_strangers()
            self._begun = True
            _in_use.add(self)
            if any(isinstance(store, MemoryStore) for store, _ in self.scopes):
                warn_of_several_processes()

    def end(self) -> None:
        """Note that it is closed; another one may go on with its name."""
        self._begun = False
        self.replaced = None
        _in_use.discard(self)

    def _refuse_strangers(self) -> None:
        for other in list(_in_use):
            related = other in (self, self.replaced) or other.replaced is self
            if not related and other.accounts != self.accounts and _share_any(self.scopes, other.scopes):
                raise ConfigError([_problem(self._name)])


_in_use: weakref.WeakSet[Sharing] = weakref.WeakSet()


def _forget_the_parents() -> None:
    for sharing in list(_in_use):
        sharing.end()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_the_parents)


def _share_any(scopes: Iterable[tuple[Store, str]], others: list[tuple[Store, str]]) -> bool:
    return any(scope == other_scope and _same(store, other) for store, scope in scopes for other, other_scope in others)


def _same(store: Any, other: Any) -> bool:
    return store is other or bool(store == other)


def _problem(name: str) -> Problem:
    hint = say(
        'give each a name of its own: name = "…" in the file, or Delivery(name="…"); where the new one takes over, replaces=OLD'
    )
    if name:
        return Problem("name", say("{name} is in use by a delivery with other accounts and the same store", name=name), hint)
    return Problem("name", say("is missing: a delivery with other accounts uses the same store, and has none either"), hint)
