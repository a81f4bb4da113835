"""The settings that every connector to a provider's HTTP API has."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import ClassVar

from authmail.config import checks
from authmail.config.secret import Secret
from authmail.config.settings import Settings, camel_case, setting, settings
from authmail.errors import Problem
from authmail.templates.at_provider import ProviderTemplate
from authmail.templates.template import Template
from authmail.words.text import say

#: Without templates for these a config is refused, as with the reference.
REQUIRED_TYPES = ("SignIn", "Register", "ForgotPassword", "Generic")


@settings
class ApiSettings(Settings):
    """Base of the settings of a provider's HTTP API. ``endpoint`` and ``templates`` come last in forms.

    Attributes:
        host: name of the public host, ``api.acme.example``, or its URL with a path.
        hosts: region → host, in place of ``host``; the class then has a field ``region`` with these regions as its values.
        beginnings: field → how its value begins at this provider, ``{"api_key": "SG."}``; another beginning is warned of.
    """

    host: ClassVar[str] = ""
    hosts: ClassVar[Mapping[str, str]] = MappingProxyType({})
    beginnings: ClassVar[Mapping[str, str]] = MappingProxyType({})

    endpoint: str | None = setting(
        "Endpoint",
        help="Only for a proxy, a private or a test server in place of the public one",
        destination=True,
        max_length=255,
        check=checks.endpoint,
        default=None,
    )
    templates: tuple[Template, ...] = setting(
        "Templates",
        help="SignIn, Register, ForgotPassword and Generic are required",
        required_types=REQUIRED_TYPES,
        default=(),
    )

    @cached_property
    def url(self) -> str:
        """Where the API is, without a slash at its end."""
        return checks.endpoint_url(self.endpoint, self.hosts[self._region] if self.hosts else self.host)

    @property
    def _region(self) -> str:
        region: str = getattr(self, "region", "")
        return region

    def places(self) -> Iterable[tuple[str, str]]:
        """Yield where the API is."""
        yield "endpoint", self.url

    def warnings(self) -> Iterable[Problem]:
        """Yield what is valid yet doubtful; a subclass yields these too."""
        for field, beginning in self.beginnings.items():
            value = getattr(self, field)
            text = value.reveal() if isinstance(value, Secret) else value
            if text and not text.startswith(beginning):
                problem = say("does not look like one of this provider's")
                yield Problem(camel_case(field), problem, say("it begins with {beginning}", beginning=beginning))
        if self.hosts and self.endpoint is not None and self._region != next(iter(self.hosts)):
            yield Problem("region", say("has no effect beside endpoint"), say("remove one of them"))
        for index, template in enumerate(self.templates):
            written = isinstance(template, ProviderTemplate) or (template.subject.strip() and template.content.strip())
            if not written:
                hint = say("providers refuse such a mail")
                yield Problem(f"templates[{index}]", say("has an empty subject or content"), hint)
