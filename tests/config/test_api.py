from typing import ClassVar, Literal

import pytest

from authmail import ApiSettings, Secret, setting, settings
from authmail.config.settings import templates_elsewhere


@settings
class Regional(ApiSettings):
    """Settings of a provider with two regions, whose keys have a form of their own."""

    hosts: ClassVar = {"us": "api.acme.example", "eu": "api.eu.acme.example"}
    beginnings: ClassVar = {"api_key": "AC.", "account": "acct_"}

    api_key: Secret = setting("Key")
    account: str | None = setting("Account", default=None)
    region: Literal["us", "eu"] = setting("Region", default="us")


def read(**values):
    with templates_elsewhere(True):
        return Regional.from_dict({"apiKey": "AC.1", **values})


@pytest.mark.parametrize(
    ("values", "url"),
    [
        ({}, "https://api.acme.example"), ({"region": "eu"}, "https://api.eu.acme.example"),
        ({"endpoint": "proxy.example/acme/"}, "https://proxy.example/acme"), ({"region": "eu", "endpoint": "http://127.0.0.1:8"}, "http://127.0.0.1:8"),
    ],
)  # fmt: skip
def test_the_region_says_where_the_api_is(values, url):
    """Unless the endpoint does."""
    assert read(**values).url == url


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        ({}, []), ({"apiKey": "re_1"}, [("apiKey", "it begins with AC.")]), ({"account": "x"}, [("account", "it begins with acct_")]),
        ({"endpoint": "proxy.example"}, []), ({"endpoint": "proxy.example", "region": "eu"}, [("region", "remove one of them")]),
    ],
)  # fmt: skip
def test_what_is_valid_yet_doubtful_is_warned_of(values, warned):
    """A key of another provider, and a region that means nothing; no value is told."""
    assert [(problem.path, problem.hint) for problem in read(**values).warnings()] == warned
