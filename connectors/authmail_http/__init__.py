"""HTTP: hands messages to an endpoint of one's own, in the JSON of Logto's HTTP connector."""

from importlib.resources import files

from authmail import json_api
from authmail_http.answers import ANSWERS
from authmail_http.config import HttpConfig
from authmail_http.request import post

connector = json_api(
    data=files("authmail_metadata") / "http",
    config=HttpConfig,
    request=post,
    answers=ANSWERS,
    emulator="authmail_http.emulator:EndpointEmulator",
)
