"""Aliyun Direct Mail: signed requests, and answers as data."""

from importlib.resources import files

from authmail import json_api
from authmail_aliyun_dm.account import check_account
from authmail_aliyun_dm.answers import ANSWERS
from authmail_aliyun_dm.config import AliyunDMConfig
from authmail_aliyun_dm.request import single_send_mail

connector = json_api(
    data=files("authmail_metadata") / "aliyun_dm",
    config=AliyunDMConfig,
    request=single_send_mail,
    answers=ANSWERS,
    account=check_account,
    emulator="authmail_aliyun_dm.emulator:DirectMailEmulator",
)
