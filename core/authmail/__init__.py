"""The email layer of auth servers: one contract, many connectors, one answer per message."""

from importlib import import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

from authmail import checks
from authmail.connector import Connector
from authmail.egress import Egress
from authmail.email import Email, Sender
from authmail.forms import FormItem
from authmail.hookspecs import hookimpl
from authmail.mailbox import Mailbox
from authmail.meaning import Meaning
from authmail.message import Message, UsageType
from authmail.metadata import ConnectorMetadata
from authmail.outcomes import (
    AccountError,
    AccountReport,
    AuthmailError,
    ConfigError,
    ConnectionCut,
    ConnectorNotFound,
    Limited,
    MessageRejected,
    NoAnswerInTime,
    NotConnected,
    NotSent,
    NotSentInTime,
    OutcomeUnknown,
    Phase,
    Problem,
    Reason,
    Receipt,
    SendError,
    TemplateError,
    Throttled,
)
from authmail.references import References
from authmail.registry import BrokenConnector, Connectors, connector_ids, connectors, get_connector
from authmail.repeat import repeat_key, repeat_unanswered
from authmail.secret import Secret
from authmail.settings import Settings, setting, settings
from authmail.templates import Template

if TYPE_CHECKING:
    from authmail.delivery.composition import load
    from authmail.mailer import Mailer
    from authmail.reply import Reply
    from authmail.transport import Http

__all__ = [
    "AccountError",
    "AccountReport",
    "AuthmailError",
    "BrokenConnector",
    "ConfigError",
    "ConnectionCut",
    "Connector",
    "ConnectorMetadata",
    "ConnectorNotFound",
    "Connectors",
    "Egress",
    "Email",
    "FormItem",
    "Http",
    "Limited",
    "Mailbox",
    "Mailer",
    "Meaning",
    "Message",
    "MessageRejected",
    "NoAnswerInTime",
    "NotConnected",
    "NotSent",
    "NotSentInTime",
    "OutcomeUnknown",
    "Phase",
    "Problem",
    "Reason",
    "Receipt",
    "References",
    "Reply",
    "Secret",
    "SendError",
    "Sender",
    "Settings",
    "Template",
    "TemplateError",
    "Throttled",
    "UsageType",
    "checks",
    "connector_ids",
    "connectors",
    "get_connector",
    "hookimpl",
    "load",
    "repeat_key",
    "repeat_unanswered",
    "setting",
    "settings",
]


#: Loaded when first asked for: hosts list connectors and check configs without an event loop or an HTTP client.
_LATE = {
    "Http": "authmail.transport",
    "Mailer": "authmail.mailer",
    "Reply": "authmail.reply",
    "load": "authmail.delivery.composition",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version("authmail")
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
