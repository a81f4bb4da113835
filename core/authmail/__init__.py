"""The email layer of auth servers: one contract, many connectors, one answer per message."""

from importlib import import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

from authmail.config import checks
from authmail.config.api import ApiSettings
from authmail.config.forms import FormItem
from authmail.config.references import References
from authmail.config.secret import Secret
from authmail.config.settings import Settings, setting, settings
from authmail.config.webhook_key import WebhookKey
from authmail.connect.account import AccountReport
from authmail.connect.answers import Answer, Answers, Request, header, member
from authmail.connect.api import json_api
from authmail.connect.connector import Connector
from authmail.connect.contract import hookimpl
from authmail.connect.metadata import ConnectorMetadata
from authmail.connect.registry import BrokenConnector, Connectors, connector_ids, connectors, get_connector
from authmail.connect.repeat import Repeat
from authmail.connect.spoken import Spoken
from authmail.errors import AuthmailError, ConfigError, ConnectorNotFound, Problem
from authmail.http.egress import Egress
from authmail.mail.email import Email
from authmail.mail.mailbox import Mailbox
from authmail.mail.message import Message, UsageType
from authmail.mail.recipient import Recipients
from authmail.outcomes import (
    AccountError,
    ConnectionCut,
    Limited,
    Meaning,
    MessageRejected,
    NoAnswerInTime,
    NotConnected,
    NotSent,
    NotSentInTime,
    OutcomeUnknown,
    Phase,
    Reason,
    Receipt,
    SendError,
    TemplateError,
    Throttled,
    refused,
)
from authmail.privacy import hide_fields
from authmail.templates import ProviderTemplate, Template, render
from authmail.words.text import say

if TYPE_CHECKING:
    from authmail.delivery.file.composition import load
    from authmail.http.client import Http
    from authmail.http.reply import Reply
    from authmail.mailer import Mailer

__all__ = [
    "AccountError",
    "AccountReport",
    "Answer",
    "Answers",
    "ApiSettings",
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
    "ProviderTemplate",
    "Reason",
    "Receipt",
    "Recipients",
    "References",
    "Repeat",
    "Reply",
    "Request",
    "Secret",
    "SendError",
    "Settings",
    "Spoken",
    "Template",
    "TemplateError",
    "Throttled",
    "UsageType",
    "WebhookKey",
    "checks",
    "connector_ids",
    "connectors",
    "get_connector",
    "header",
    "hide_fields",
    "hookimpl",
    "json_api",
    "load",
    "member",
    "refused",
    "render",
    "say",
    "setting",
    "settings",
]


#: Loaded when first asked for: hosts list connectors and check configs without an event loop or an HTTP client.
_LATE = {
    "Http": "authmail.http.client",
    "Mailer": "authmail.mailer",
    "Reply": "authmail.http.reply",
    "load": "authmail.delivery.file.composition",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version("authmail")
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
