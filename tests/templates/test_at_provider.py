import jsonschema
import pytest

from authmail import ConfigError, Email, Mailer, Message, ProviderTemplate, Settings, Template, TemplateError, setting, settings
from authmail.config.doubts import unknown_keys
from authmail.config.forms import json_schema
from authmail.config.shown import redact_secrets
from authmail.templates.at_provider import read_either
from authmail.templates.coverage import coverage
from authmail.templates.sight import unseen_in

NAMED = {"usageType": "SignIn", "templateAlias": "acme"}
WRITTEN = {"usageType": "SignIn", "subject": "s", "content": "{{code}}"}


@settings
class Both(Settings):
    """Of a provider that keeps templates."""

    templates: tuple[Template | ProviderTemplate, ...] = setting("Templates", default=())


@settings
class Own(Settings):
    """Of one that keeps none."""

    templates: tuple[Template, ...] = setting("Templates", default=())


def test_an_alias_makes_the_provider_keep_it():
    """Where the setting allows for it; both kinds stand in one list."""
    assert Both.from_dict({"templates": [NAMED, WRITTEN]}).templates == (
        ProviderTemplate("SignIn", alias="acme"),
        Template("SignIn", "s", "{{code}}"),
    )
    assert Both.from_dict({"templates": [NAMED | {"templateAlias": None} | WRITTEN]}).templates == (
        Template("SignIn", "s", "{{code}}"),
    )


def test_other_connectors_know_no_alias():
    """A mail without subject and content would go out empty."""
    with pytest.raises(ConfigError) as caught:
        Own.from_dict({"templates": [NAMED]})
    assert [problem.path for problem in caught.value.problems] == ["templates[0].subject", "templates[0].content"]


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"usageType": None}, ["usageType"]), ({"usageType": ""}, ["usageType"]), ({"templateAlias": ""}, ["templateAlias"]),
        ({"templateAlias": 5}, ["templateAlias"]), ({"templateAlias": "a\nb"}, ["templateAlias"]), ({"locale": "x" * 101}, ["locale"]),
        ({"usageType": 5, "templateAlias": []}, ["usageType", "templateAlias"]),
    ],
)  # fmt: skip
def test_what_cannot_be_a_name_is_refused(change, paths):
    """Every one at once."""
    with pytest.raises(ConfigError) as caught:
        ProviderTemplate.from_dict(NAMED | change)
    assert [problem.path for problem in caught.value.problems] == paths


def test_what_is_no_object_is_refused():
    """With its kind."""
    for read in (ProviderTemplate.from_dict, read_either):
        with pytest.raises(ConfigError, match="a list"):
            read([])


@pytest.mark.parametrize(
    ("given", "locale"), [({"locale": "fr"}, "fr"), ({"languageTag": "fr"}, "fr"), ({"locale": "fr", "languageTag": "de"}, "fr")]
)
def test_its_json_comes_and_goes(given, locale):
    """Under the usual key, which wins."""
    template = ProviderTemplate.from_dict(NAMED | given)
    assert template.to_dict() == NAMED | {"locale": locale}
    assert repr(template) == "ProviderTemplate('SignIn', locale='fr', alias='acme')"


def test_its_keys_are_known_where_it_may_stand():
    """Elsewhere they warn."""
    assert [problem.path for problem in unknown_keys({"templates": [NAMED]}, Both)] == []
    assert [problem.path for problem in unknown_keys({"templates": [NAMED]}, Own)] == ["templates[0].templateAlias"]


def test_forms_and_pages_show_it():
    """The schema has both kinds, and an alias is no secret."""
    jsonschema.validate({"templates": [NAMED, WRITTEN]}, json_schema(Both))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"templates": [{"usageType": "SignIn"}]}, json_schema(Both))
    assert redact_secrets({"templates": [NAMED]}, Both) == {"templates": [NAMED]}


def test_nobody_warns_of_a_text_that_is_elsewhere():
    """Whether a reader sees the code there is not known; it serves its type, and as Generic every other."""
    template = ProviderTemplate("Generic", alias="acme")
    assert list(unseen_in(template)) == []
    assert {(cell.template, str(cell.problem)) for cell in coverage([template])} == {(template, "")}


# On the way of a message.


async def written(mailer, message, *asked):
    return await mailer._written(message, frozenset(asked or ("email", "template", "values")))


@pytest.fixture
def mailer():
    templates = [ProviderTemplate("SignIn", alias="acme"), Template("Register", "s {{code}}", "<b>{{code}}</b>")]
    return Mailer("postmark-mail", {"serverToken": "t", "fromEmail": "a@b.example"}, templates=templates)


async def test_a_connector_gets_the_template_or_the_mail(mailer):
    """Never both; values are cleaned, and the recipient is an address alone."""
    got = await written(mailer, Message("Zoe <zoe@example.com>", "SignIn", {"code": "1", "user": {"name": "evil.example"}}))
    assert (got["template"].alias, got["message"].to, got["values"]["code"]) == ("acme", "zoe@example.com", "1")
    assert got["values"]["user"]["name"] != "evil.example"
    got = await written(mailer, Message("zoe@example.com", "Register", {"code": "1"}))
    assert (list(got), type(got["email"]), got["email"].subject) == (["email"], Email, "s 1")


async def test_a_connector_that_takes_mails_alone_refuses_it(mailer):
    """As where a host hands such a template to it: nothing could be sent."""
    with pytest.raises(TemplateError, match="from its template acme"):
        await written(mailer, Message("zoe@example.com", "SignIn", {"code": "1"}), "email")
