"""One loaded connector, with a typed method for each of its hooks."""

import inspect
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pluggy

from authmail.config.doubts import unknown_keys
from authmail.config.forms import FormItem, json_schema
from authmail.config.references import References, resolve_references
from authmail.config.settings import Settings, fields_of, templates_elsewhere
from authmail.config.shown import merge_secrets, redact_secrets
from authmail.connect.account import AccountReport
from authmail.connect.edge import Edge
from authmail.connect.metadata import ConnectorMetadata
from authmail.errors import ConfigError, Problem
from authmail.http.deadline import DEFAULT_TIMEOUT
from authmail.http.egress import Egress
from authmail.http.ways import check_ways
from authmail.outcomes import NotSent, Phase, Reason, SendError
from authmail.privacy import log_of, raise_afresh
from authmail.words.once import once
from authmail.words.text import say

if TYPE_CHECKING:
    import aiohttp


_log = log_of("authmail")


def _refused_places(config: Any, egress: Egress | None) -> Iterator[Problem]:
    """Yield a warning for each place of a config that an egress policy will refuse."""
    if egress is None or not isinstance(config, Settings):
        return
    for path, place in config.places():
        refusal = egress.refusal(place)
        if refusal is not None:
            yield Problem(path, say("will be refused: {reason}", reason=refusal))


@attrs.frozen(eq=False, repr=False, slots=False)
class Connector:
    """A connector that is installed and fits the contract.

    Attributes:
        id: factory id.
        target: the provider's short name.
        metadata: what it says of itself.
        distribution: name of the distribution that it came with.
        version: that distribution's version.
    """

    metadata: ConnectorMetadata
    distribution: str
    version: str
    _manager: pluggy.PluginManager

    @property
    def id(self) -> str:
        """Factory id."""
        return self.metadata.id

    @property
    def target(self) -> str:
        """The provider's short name."""
        return self.metadata.target

    @once
    def form_items(self) -> tuple[FormItem, ...]:
        """The fields of an admin page's form, in English; ``metadata.form_items(language)`` has translations."""
        return self.metadata.form_items()

    @once
    def json_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the config."""
        return json_schema(self._settings)

    @raise_afresh
    def validate_config(
        self, raw: Any, *, references: References | None = None, templates: object = None, egress: Egress | None = None
    ) -> Any:
        """Return the typed config. Contacts nobody.

        Args:
            raw: Logto's connector JSON.
            references: what ``{"env": …}`` and ``{"file": …}`` in place of a secret may refer to. Only for a config
                that its owner wrote; None refuses them.
            templates: if there are any here, the config need not have its required types.
            egress: a warning is logged for each endpoint and host that it will refuse; :meth:`warnings` returns them.

        Raises:
            ConfigError: every problem at once, in the order of the settings, without any secret.
        """
        config = self._validated(raw, references, bool(templates))
        for problem in _refused_places(config, egress):
            _log.warning("%s: %s", self.id, problem)
        return config

    @raise_afresh
    def warnings(
        self,
        raw: Mapping[str, Any],
        *,
        references: References | None = None,
        templates: object = None,
        egress: Egress | None = None,
    ) -> list[Problem]:
        """Return what is valid yet doubtful.

        That is unknown keys with the nearest known one, what the connector says, and with ``egress`` each endpoint and host
        that it will refuse. Contacts nobody, so that what a name resolves to is seen only later.
        """
        found = list(unknown_keys(raw, self._settings))
        try:
            config = self._validated(raw, references, bool(templates))
        except ConfigError:
            return found
        said = list(config.warnings()) if isinstance(config, Settings) else []
        return [*found, *said, *_refused_places(config, egress)]

    @raise_afresh
    def redacted(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Return a config to show to an admin: every secret is ``"***"``."""
        return redact_secrets(raw, self._settings)

    @raise_afresh
    def merge(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
        """Return an edited config with the old secret wherever ``"***"`` came back.

        Raises:
            ConfigError: a setting that decides where the secret is sent has changed, so it must be typed again.
        """
        return merge_secrets(old, new, self._settings)

    @raise_afresh
    async def check_account(
        self,
        config: Any,
        *,
        session: "aiohttp.ClientSession | None" = None,
        egress: Egress | None = Egress.PUBLIC,
        timeout: float = DEFAULT_TIMEOUT,
        proxy: str | None = None,
        ca_file: str | Path | None = None,
    ) -> AccountReport | None:
        """Ask the provider about the account, without sending mail.

        Args:
            config: what :meth:`validate_config` returned.
            session: the host's own session, see :class:`~authmail.Mailer`; the others as there too.
            egress: where it may connect; None vouches for the session.
            timeout: seconds.
            proxy: URL of an HTTP proxy.
            ca_file: PEM file of the authorities to trust.

        Returns:
            What it said, or None if the connector cannot ask.

        Raises:
            SendError: something would stop every mail.
            ConfigError: the session keeps to no egress policy, or to another one.
        """
        from authmail.http.client import Http
        from authmail.http.session import Transport

        check_ways(egress, session, timeout, proxy, ca_file)
        if not self.implements("check_account"):
            return None
        confidential = Edge(config, self.id).confidential()
        try:
            async with AsyncExitStack() as stack:
                transport = Transport(egress=egress, session=session, proxy=proxy, ca_file=ca_file, user_agent=self.id)
                await stack.enter_async_context(transport)
                http = Http(transport, time.monotonic() + timeout)
                client = await self.open_client(config, http, stack)
                report = self._manager.hook.check_account(config=config, http=http, client=client)
                told: AccountReport = await report if inspect.isawaitable(report) else report
                return told.cleaned(confidential.clean_line)
        except SendError as error:
            raise confidential.clean_error(error, self.id) from error
        except Exception as error:
            hint = say("the connector failed: {kind}", kind=type(error).__name__)
            raise NotSent(hint, reason=Reason.CONNECTOR, phase=Phase.BEFORE, connector=self.id) from error

    def get_emulator(self) -> Any:
        """Return a local stand-in of the provider, or None if the connector has none."""
        return self._manager.hook.get_emulator() if self.implements("get_emulator") else None

    async def open_client(self, config: Any, http: Any, stack: AsyncExitStack) -> Any:
        """Enter the connector's client on a stack; None if it has none."""
        if not self.implements("open_client"):
            return None
        return await stack.enter_async_context(self._manager.hook.open_client(config=config, http=http))

    def implements(self, hook: str) -> bool:
        """Whether the connector has an optional hook."""
        return bool(getattr(self._manager.hook, hook).get_hookimpls())

    @once
    def send_arguments(self) -> frozenset[str]:
        """The arguments that the connector's ``send_message`` asks for."""
        return frozenset(self._send_message[1])

    @property
    def takes_mails(self) -> bool:
        """Whether core renders mails for it; False where a message goes on as it is, and its receiver writes the mail."""
        return "email" in self.send_arguments

    def send_message(self, given: Mapping[str, Any]) -> Any:
        """Call the connector's ``send_message`` with those of the given arguments that it asks for."""
        function, names = self._send_message
        return function(*[given[name] for name in names])

    @once
    def _send_message(self) -> tuple[Callable[..., Any], tuple[str, ...]]:
        # Looked up once: the manager holds this connector alone, and its general call costs as much as rendering a mail.
        (found,) = self._manager.hook.send_message.get_hookimpls()
        return found.function, found.argnames

    @property
    def _settings(self) -> type:
        return self.metadata.settings or Settings

    def _validated(self, raw: Any, references: References | None, elsewhere: bool) -> Any:
        if not isinstance(raw, Mapping):
            raise ConfigError([Problem("", "must be an object with the connector's settings")])
        problems: list[Problem] = []
        if references is not None:
            raw, problems = resolve_references(raw, self._settings, references)
        config = None
        try:
            with templates_elsewhere(elsewhere):
                config = self._manager.hook.validate_config(config=raw)
        except ConfigError as error:
            unread = {problem.path for problem in problems}  # what stands in for an unread secret is nobody's mistake
            problems += [problem for problem in error.problems if problem.path not in unread]
        except Exception as error:  # noqa: BLE001 (a connector's bug; its text may hold values)
            problems.append(
                Problem("", say("the connector {id} could not read it: {kind}", id=self.id, kind=type(error).__name__))
            )
        if config is None and not problems:
            problems.append(Problem("", say("the connector {id} returned no config", id=self.id)))
        if problems:
            raise ConfigError(self._in_order(problems))
        return config

    def _in_order(self, problems: Iterable[Problem]) -> list[Problem]:
        order = [key for key, _, _ in fields_of(self._settings)] if self.metadata.settings else []
        keys = {key: index for index, key in enumerate(order)}
        return sorted(problems, key=lambda problem: keys.get(problem.path.partition(".")[0].partition("[")[0], -1))

    def __repr__(self) -> str:
        return f"Connector({self.id!r}, {self.distribution} {self.version})"
