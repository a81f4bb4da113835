"""Aliyun Direct Mail: the hooks."""

from importlib.resources import files
from typing import Any

from authmail import AccountReport, ConnectorMetadata, Email, Receipt, hookimpl
from authmail_aliyun_dm.config import AliyunDMConfig


@hookimpl
def get_metadata() -> ConnectorMetadata:
    """Read the metadata."""
    return ConnectorMetadata.load(files("authmail_metadata") / "aliyun_dm", settings=AliyunDMConfig)


@hookimpl
def validate_config(config: dict[str, Any]) -> AliyunDMConfig:
    """Read the settings."""
    return AliyunDMConfig.from_dict(config)


@hookimpl
async def send_message(email: Email, config: AliyunDMConfig, http: Any, deadline: float) -> Receipt:
    """Send one mail by SingleSendMail."""
    from authmail_aliyun_dm.exchange import send

    return await send(email, config, http, deadline)


@hookimpl
async def check_account(config: AliyunDMConfig, http: Any) -> AccountReport:
    """Ask for account and sender without sending mail."""
    from authmail_aliyun_dm.account import check

    return await check(config, http)


@hookimpl
def get_emulator() -> Any:
    """Return Direct Mail for the sandbox."""
    from authmail_aliyun_dm.emulator import DirectMailEmulator

    return DirectMailEmulator()
