"""What must not be shown of a config and of a message, at the edge that everything from outside passes."""

from collections.abc import Iterable

from attrs import evolve

from authmail.config.secrets import secrets_in, texts_in
from authmail.mail.email import Email, Mail
from authmail.mail.vital import leaves
from authmail.outcomes import Receipt, SendError
from authmail.privacy import Confidential
from authmail.templates.template import Template, mail_texts
from authmail.words.once import once
from authmail.words.striking import Spellings

# A shorter name stands in too many sentences.
_SHORTEST_NAME = 6


class Edge:
    """Cleans what comes of one config.

    Args:
        config: the typed config.
        connector: factory id, which errors and receipts get.
        templates: what an operator wrote, so that it is no secret of anybody's.
        debug: nothing is cleaned.
    """

    def __init__(self, config: object, connector: str, templates: Iterable[Template] = (), *, debug: bool = False) -> None:
        self._config = config
        self._connector = connector
        self._templates = tuple(templates)
        self._debug = debug

    def clean_receipt(self, receipt: Receipt, message: Mail) -> Receipt:
        """Return a provider's Receipt, fit to be shown."""
        if self._debug:
            return evolve(receipt, connector=self._connector)
        return Confidential(self._secrets, message.vital).clean_receipt(receipt, self._connector)

    def clean_error(self, error: SendError, message: Mail | None = None) -> SendError:
        """Return an error afresh, fit to be shown; of a message, if it was one."""
        return error if self._debug else self.confidential(message).clean_error(error, self._connector)

    def confidential(self, message: Mail | None = None) -> Confidential:
        """Return what must not be shown of the config, and of a message."""
        if not isinstance(message, Mail):
            return Confidential(self._secrets)
        bodies = (message.subject, message.html or "", message.text or "") if isinstance(message, Email) else ()
        known = (*self._known_texts, message.address.rpartition("@")[2])
        names = [str(value) for _, value, _ in leaves(message.payload) if len(str(value)) >= _SHORTEST_NAME]
        strange = tuple(dict.fromkeys(name for name in names if not any(name in text for text in known)))
        return Confidential(self._secrets, message.vital, strange, bodies, message.address)

    @once
    def _secrets(self) -> Spellings:
        return Spellings(secrets_in(self._config))

    @once
    def _known_texts(self) -> tuple[str, ...]:
        """What an operator wrote: a name out of a payload that stands there too is no secret of anybody's."""
        written = [text for template in self._templates for text in mail_texts(template)]
        return (*written, *texts_in(self._config))

    def __repr__(self) -> str:
        return f"Edge({self._connector!r})"
