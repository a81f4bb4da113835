"""Amazon SES, API version 2: signed requests, and answers as data."""

from importlib.resources import files

from authmail import json_api
from authmail_ses.account import check_account
from authmail_ses.answers import ANSWERS
from authmail_ses.config import SESConfig
from authmail_ses.request import send_email

connector = json_api(
    data=files("authmail_metadata") / "ses",
    config=SESConfig,
    request=send_email,
    answers=ANSWERS,
    account=check_account,
    emulator="authmail_ses.emulator:SESEmulator",
)
