import pytest

import authmail
from authmail import ConfigError
from authmail_scaleway_tem import ScalewayTEMConfig

KEY, PROJECT = "22222222-2222-4222-8222-222222222222", "11111111-1111-4111-8111-111111111111"
RAW = {
    "secretKey": KEY,
    "projectId": PROJECT,
    "from": "Acme <no-reply@mail.example.com>",
    "templates": [
        {"usageType": usage_type, "subject": "s {{code}}", "content": "<p>{{code}}</p>"}
        for usage_type in ("SignIn", "Register", "ForgotPassword", "Generic")
    ],
}


@pytest.fixture
def scaleway():
    return authmail.get_connector("scaleway-tem")


def test_a_good_config_is_good(scaleway):
    """Without a warning; it goes to the one region that there is."""
    config = scaleway.validate_config(RAW)
    assert config.root == "https://api.scaleway.com/transactional-email/v1alpha1/regions/fr-par"
    assert scaleway.warnings(RAW) == []


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"secretKey": None}, ["secretKey"]), ({"secretKey": "a b"}, ["secretKey"]), ({"secretKey": "é"}, ["secretKey"]),
        ({"projectId": None}, ["projectId"]), ({"projectId": "default"}, ["projectId"]), ({"projectId": f"{PROJECT}&name=x"}, ["projectId"]),
        ({"from": "Acme"}, ["from"]), ({"from": "a@b.co, c@d.co"}, ["from"]), ({"from": "zoë@mail.example.com"}, ["from"]),
        ({"region": "../x"}, ["region"]), ({"region": "FR-PAR"}, ["region"]), ({"replyTo": "a@b.co, c@d.co"}, ["replyTo"]),
        ({"codeMinutes": 0}, ["codeMinutes"]), ({"codeMinutes": 1441}, ["codeMinutes"]), ({"codeMinutes": "10"}, ["codeMinutes"]),
        ({"endpoint": "ftp://x"}, ["endpoint"]), ({"templates": []}, ["templates"] * 4),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(change, paths):
    """With the field's name."""
    with pytest.raises(ConfigError) as caught:
        ScalewayTEMConfig.from_dict(RAW | change)
    assert [problem.path for problem in caught.value.problems] == paths


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        ({"secretKey": "SCWXXXXXXXXXXXXXXXXX"}, "secretKey", "the secret key"), ({"secretKey": "re_123"}, "secretKey", "UUID"),
        ({"region": "nl-ams"}, "region", "fr-par"),
    ],
)  # fmt: skip
def test_what_is_doubtful_warns(scaleway, change, path, says):
    """The name of a key in its place, a key of somebody else, a region without the service."""
    [warning] = scaleway.warnings(RAW | change)
    assert (warning.path, says in warning.hint) == (path, True)
    for language in ("fr", "zh-CN"):
        assert warning.hint_in(language) != warning.hint


def test_the_key_is_a_secret(scaleway):
    """In the form, in a config that is shown, and in a repr."""
    assert [item.key for item in scaleway.form_items if item.is_confidential] == ["secretKey"]
    assert scaleway.redacted(RAW) == RAW | {"secretKey": "***"}
    assert KEY not in repr(scaleway.validate_config(RAW))


def test_a_key_is_asked_for_again_where_it_would_travel_elsewhere(scaleway):
    """Region and endpoint are where it goes."""
    shown = scaleway.redacted(RAW)
    assert scaleway.merge(RAW, shown | {"from": "other@mail.example.com"})["secretKey"] == KEY
    for change in ({"region": "nl-ams"}, {"endpoint": "https://proxy.example"}):
        with pytest.raises(ConfigError):
            scaleway.validate_config(scaleway.merge(RAW, shown | change))


def test_the_form_shows_the_common_settings_first(scaleway):
    """Those that few need are in a group of their own."""
    assert [item.key for item in scaleway.form_items if item.group == "more"] == ["region", "replyTo", "codeMinutes"]
