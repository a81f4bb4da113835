"""Resend, as data: settings, request, table of errors, account check, emulator."""

from importlib.resources import files

from authmail import json_api
from authmail_resend.account import check_account
from authmail_resend.answers import ANSWERS
from authmail_resend.config import ResendConfig
from authmail_resend.request import send_email

connector = json_api(
    data=files("authmail_metadata") / "resend",
    config=ResendConfig,
    request=send_email,
    answers=ANSWERS,
    account=check_account,
    emulator="authmail_resend.emulator:ResendEmulator",
)
