"""The settings that every connector to a provider's HTTP API has."""

from collections.abc import Iterable
from typing import ClassVar

from authmail.config import checks
from authmail.config.settings import Settings, setting, settings
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
    """

    host: ClassVar[str] = ""

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

    @property
    def url(self) -> str:
        """Where the API is, without a slash at its end."""
        return checks.endpoint_url(self.endpoint, self.host)

    def places(self) -> Iterable[tuple[str, str]]:
        """Yield where the API is."""
        yield "endpoint", self.url

    def warnings(self) -> Iterable[Problem]:
        """Yield what is valid yet doubtful; a subclass yields these too."""
        for index, template in enumerate(self.templates):
            written = isinstance(template, ProviderTemplate) or (template.subject.strip() and template.content.strip())
            if not written:
                hint = say("providers refuse such a mail")
                yield Problem(f"templates[{index}]", say("has an empty subject or content"), hint)
