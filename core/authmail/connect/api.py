"""A connector as data, for providers that take a mail by one POST: settings, a request, a table of answers."""

import inspect
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from importlib.resources.abc import Traversable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from authmail.config.settings import Settings
from authmail.connect.account import AccountReport
from authmail.connect.answers import Answers, Request
from authmail.connect.contract import hookimpl
from authmail.connect.metadata import ConnectorMetadata
from authmail.connect.repeat import Repeat, ask_until_known, key_of
from authmail.mail.email import Email, Mail
from authmail.outcomes import Receipt
from authmail.templates.at_provider import ProviderTemplate

if TYPE_CHECKING:
    from authmail.http.client import Http  # for type checkers only: listing and validating load no aiohttp

#: What a ``request`` function may ask for by name; the first three as of the hook ``send_message``.
_ARGUMENTS = ("email", "message", "values", "template", "config", "key", "nonce", "now")


def json_api(
    *,
    data: Traversable,
    config: type[Settings],
    request: Callable[..., Request],
    answers: Answers,
    account: "Callable[[Any, Http], Awaitable[AccountReport]] | None" = None,
    emulator: str = "",
) -> Any:
    """Return a connector: what its entry point names.

    Args:
        data: folder of metadata.json, guides, logo and translations: ``files(__name__)``.
        config: the settings class, usually derived from :class:`~authmail.ApiSettings`.
        request: makes the request of a mail. It is pure, and asks by name for what it needs: ``email``, the rendered mail
            (or ``message``, ``values`` or ``template``, as of the hook ``send_message``); ``config``; ``key``, by which a provider may
            tell a repeat, printable ASCII of at most 256 characters; for signatures ``nonce``, 128 random bits in hex, and
            ``now``, an aware datetime.
        answers: what the answers mean.
        account: asks the provider about the account, without sending mail: gets config and ``http``, returns an
            :class:`~authmail.AccountReport`, raises what would stop every mail.
        emulator: ``module:Class`` of the provider's stand-in for the sandbox, imported only there.

    Raises:
        TypeError: ``request`` asks for something else.
    """
    asked = tuple(inspect.signature(request).parameters)
    if strange := [name for name in asked if name not in _ARGUMENTS]:
        raise TypeError(f"request asks for {', '.join(strange)}; there are {', '.join(_ARGUMENTS)}")
    settings = config

    @hookimpl
    def get_metadata() -> ConnectorMetadata:
        return ConnectorMetadata.load(data, settings=settings)

    @hookimpl
    def validate_config(config: dict[str, Any]) -> Settings:
        return settings.from_dict(config)

    # Core looks at the names of the arguments: a mail that nobody asks for is not rendered.

    async def send_email(message: Mail, email: Email, config: Any, http: "Http", deadline: float) -> Receipt:
        return await _send(answers, request, asked, {"message": message, "email": email, "config": config}, http, deadline)

    async def send_values(message: Mail, values: Mapping[str, Any], config: Any, http: "Http", deadline: float) -> Receipt:
        return await _send(answers, request, asked, {"message": message, "values": values, "config": config}, http, deadline)

    async def send_as_it_is(message: Mail, config: Any, http: "Http", deadline: float) -> Receipt:
        return await _send(answers, request, asked, {"message": message, "config": config}, http, deadline)

    async def send_either(
        message: Mail,
        email: Email | None,
        values: Mapping[str, Any],
        template: ProviderTemplate | None,
        config: Any,
        http: "Http",
        deadline: float,
    ) -> Receipt:
        given = {"message": message, "email": email, "values": values, "template": template, "config": config}
        return await _send(answers, request, asked, given, http, deadline)

    send_message: Callable[..., Any] = (
        send_either
        if "template" in asked
        else send_email
        if "email" in asked
        else send_values
        if "values" in asked
        else send_as_it_is
    )
    hooks = SimpleNamespace(
        get_metadata=get_metadata, validate_config=validate_config, send_message=hookimpl(send_message), answers=answers
    )
    if account is not None:
        hooks.check_account = _account_hook(account)
    if emulator:
        hooks.get_emulator = _emulator_hook(emulator)
    return hooks


def _account_hook(account: "Callable[[Any, Http], Awaitable[AccountReport]]") -> Callable[..., Any]:
    @hookimpl
    async def check_account(config: Any, http: "Http") -> AccountReport:
        return await account(config, http)

    return check_account


def _emulator_hook(emulator: str) -> Callable[..., Any]:
    @hookimpl
    def get_emulator() -> Any:
        module, _, name = emulator.partition(":")
        return getattr(import_module(module), name)()

    return get_emulator


async def _send(
    answers: Answers,
    make: Callable[..., Request],
    asked: Iterable[str],
    given: Mapping[str, Any],
    http: "Http",
    deadline: float,
) -> Receipt:
    mail, config = given["message"], given["config"]
    repeat = answers.repeat if isinstance(answers.repeat, Repeat) else answers.repeat(config)
    arguments = {**given, "key": key_of(mail), "nonce": os.urandom(16).hex(), "now": datetime.now(UTC)}
    request = make(**{name: arguments[name] for name in asked})

    async def attempt(limit: float | None) -> Receipt:
        reply = await http.post(
            request.url, json=request.json, form=request.form, body=request.body, headers=request.headers, limit=limit
        )
        return answers.receipt(reply, request)

    return await ask_until_known(attempt, given.get("email") or mail, deadline, repeat, answers.in_flight)
