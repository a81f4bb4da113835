"""Several configs in one process, as a host with many tenants has them: each mail goes out by its own."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

import attrs

from authmail.config.secrets import map_secrets, secrets_in
from authmail.config.sender import sender_key, sender_of
from authmail.errors import ConfigError
from authmail.http.egress import Egress
from authmail.mail.mailbox import Mailbox
from authmail.mailer import Mailer
from authmail.outcomes import AccountError, Receipt, SendError
from authmail.privacy import hide_fields
from authmail.sandbox import Sandbox
from authmail.testing.case import LIMIT, TEMPLATES, Case, message
from authmail.testing.rules.rule import Rule
from authmail.testing.wire import Request


@attrs.frozen(field_transformer=hide_fields)
class _Tenant:
    """A config, and what its mails can be told by.

    Args:
        what: what is its own, for people.
        config: as an admin wrote it.
        marks: name → what the requests of this config hold, as far as they show it.
        place: index of the provider that it names.
    """

    what: str
    config: Mapping[str, Any]
    marks: Mapping[str, str]
    place: int

    def recipient(self, turn: int) -> str:
        """Whom the mail of a turn is for."""
        return f"{self.what.replace(' ', '-')}-{turn}@example.com"


def mistyped(secret: str) -> str:
    """Return a secret with another letter in its middle, so that its form stays right."""
    middle = len(secret) // 2
    return f"{secret[:middle]}{'B' if secret[middle] == 'A' else 'A'}{secret[middle + 1 :]}"


def _tenants(case: Case) -> list[_Tenant]:
    """Return the declared config, and others that differ from it in one thing each."""
    first = case.config
    secrets = map_secrets(first, case.settings, lambda _, value: mistyped(value))
    configs = {"a config": (first, 0), "other secrets": (secrets, 0), "another sender": (_another_sender(first), 0)}
    distinct = {what: known for what, known in configs.items() if known[0] != first or what == "a config"}
    return [
        _Tenant(what, config, marks, place)
        for what, (config, place) in {**distinct, "another place": (first, 1)}.items()
        if (marks := _marks(case, config)) is not None
    ]


def _another_sender(config: Mapping[str, Any]) -> Mapping[str, Any]:
    key = sender_key(config)
    if key is None:
        return config
    sender = Mailbox.parse(config[key])
    return {**config, key: str(Mailbox(f"another-tenant@{sender.domain}", sender.name))}


def _marks(case: Case, config: Mapping[str, Any]) -> dict[str, str] | None:
    try:
        typed = case.connector.validate_config(config, templates=TEMPLATES)
    except ConfigError:
        return None  # its secrets have a form that the kit cannot guess
    marks = {f"secret {number}": text for number, text in enumerate(secrets_in(typed), start=1)}
    sender = sender_of(typed)
    return marks if sender is None else {**marks, "sender": sender.address}


async def own(case: Case) -> AsyncIterator[str]:
    """Send with several configs by turns and at once; look at each request, and at an emulator's judgement of signatures."""
    for finding in (*await _send_with_each(case), *await _send_to_emulator(case)):
        yield finding


async def _send_with_each(case: Case) -> list[str]:
    tenants = _tenants(case)
    async with case.provider() as here, case.provider() as elsewhere, AsyncExitStack() as stack:
        places = (here, elsewhere)
        mailers: list[Mailer] = []

        async def send(number: int, turn: int) -> str:
            sent = message(to=tenants[number].recipient(turn))
            try:
                await mailers[number].send(sent, timeout=LIMIT)
            except SendError as error:
                return f"{tenants[number].what}, turn {turn}: {type(error).__name__}: {error}"
            return ""

        failures = []
        for turn, tenant in enumerate(tenants):
            opening = case.mailer(places[tenant.place], config=tenant.config)
            mailers.append(await stack.enter_async_context(opening))
            failures += [await send(number, turn) for number in range(turn + 1)]
        failures += await asyncio.gather(*(send(number, len(tenants)) for number in range(len(tenants))))
    return [*filter(None, failures), *_mixed(tenants, [place.requests for place in places])]


def _mixed(tenants: Sequence[_Tenant], requests: Sequence[Sequence[Request]]) -> Iterator[str]:
    """Yield what belongs to another config: the place of a mail, or what its request holds."""
    turns = range(len(tenants) + 1)
    for tenant in tenants:
        for place, came in enumerate(requests):
            mine = [request for request in came if any(request.shows(tenant.recipient(turn)) for turn in turns)]
            if mine and place != tenant.place:
                yield f"a mail of {tenant.what} went to the place of another"
            for name, text in tenant.marks.items():
                foreign = {other.marks[name] for other in tenants} - {text}
                if any(request.tells(other) for request in mine for other in foreign):
                    yield f"a mail of {tenant.what} went out with the {name} of another"
    for name in tenants[0].marks:
        users = [any(request.tells(tenant.marks[name]) for request in requests[tenant.place]) for tenant in tenants]
        if any(users) and not all(users):
            yield f"nothing was sent with the {name} of {tenants[users.index(False)].what}"


async def _send_to_emulator(case: Case) -> list[str]:
    """Send with the secrets of the one account that the emulator knows, and with others: so it shows who signed."""
    emulator = case.connector.get_emulator()
    if emulator is None or not case.secrets:
        return []
    async with Sandbox({case.connector.id: emulator}) as sandbox:
        right = sandbox.config(case.connector.id)
        wrong = map_secrets(right, case.settings, lambda _, value: mistyped(value))
        async with _open(case, wrong) as stranger:
            if isinstance(await _outcome(stranger), Receipt):
                return []  # it looks at no secrets, which is another rule's business
            async with _open(case, right) as tenant:
                outcomes = [(mailer is tenant, await _outcome(mailer)) for mailer in (tenant, stranger, tenant, stranger)]
    return [
        f"with the {'right' if is_right else 'wrong'} secrets by turns: {type(outcome).__name__}: {outcome}"
        for is_right, outcome in outcomes
        if not isinstance(outcome, Receipt if is_right else AccountError)
    ]


def _open(case: Case, config: Mapping[str, Any]) -> Mailer:
    return Mailer(case.connector, config, templates=TEMPLATES, egress=Egress.ANY)


async def _outcome(mailer: Mailer) -> Receipt | SendError:
    try:
        return await mailer.send(message(link=None), timeout=LIMIT)
    except SendError as error:
        return error


RULES = (
    Rule(
        "tenant.own",
        "Of several configs in one process each sends with its own secrets, its own sender and to its own place.",
        "Keep nothing in the module, by whatever key: take all from config, and keep what must last (tokens, signing keys, "
        "connections) in what open_client yields.",
        own,
    ),
)
