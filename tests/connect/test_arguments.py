"""What a Mailer is given is read or refused at once, and never by the first mail."""

import pytest

import authmail
from authmail import ConfigError, Connector, Egress, Mailer, Message, Template, hookimpl

HTTP = "http-email"
RAW = {"endpoint": "https://mail.example/"}
SMTP = {"host": "smtp.example.com", "port": 587, "auth": {}, "fromEmail": "a@b.co"}


class Listener:
    @hookimpl
    def message_sent(self, message, receipt):
        """Observe."""


WRONG = {
    "connector": ({"connector": 7}, TypeError, "connector= takes a Connector, or the id or target of one, got a number"),
    "templates": ({"templates": 7}, TypeError, "templates= takes a list of templates, or a folder of them, got a number"),
    "one template": ({"templates": {"usageType": "X"}}, TypeError, "templates= takes .* got an object"),
    "a template": ({"templates": [7]}, ConfigError, r"templates\[0\]: must be an object, got a number"),
    "a template's JSON": ({"templates": [{"usageType": "SignIn"}]}, ConfigError, r"templates\[0\].subject: is required"),
    "plugins": ({"plugins": "metrics"}, TypeError, "plugins= takes a list of objects or modules with hooks, got a text"),
    "one plugin": ({"plugins": Listener()}, TypeError, "plugins= takes a list"),
    "a plugin that is none": ({"plugins": [Listener(), object()]}, TypeError, r"plugins\[1\] \(object\) has no hook"),
    "a class": ({"plugins": [Listener]}, TypeError, r"plugins\[0\] \(Listener\) has no hook that could be called"),
    "egress": ({"egress": "any"}, TypeError, "egress= takes an Egress such as Egress.PUBLIC, got a text"),
    "timeout": ({"timeout": "8"}, TypeError, "timeout= takes a number of seconds, got a text"),
    "no time": ({"timeout": 0}, ConfigError, "timeout: must be a number of seconds above 0"),
    "time that is none": ({"timeout": float("nan")}, ConfigError, "timeout: must be a number of seconds above 0"),
    "a switch as time": ({"timeout": True}, TypeError, "timeout= takes a number of seconds"),
    "default_locale": ({"default_locale": 7}, TypeError, "default_locale= takes a language tag, got a number"),
    "proxy": ({"proxy": "proxy.example:3128"}, ConfigError, "proxy: must be the URL of an HTTP proxy"),
    "proxy of another kind": ({"proxy": 3128}, TypeError, "proxy= takes the URL of an HTTP proxy, got a number"),
    "ca_file": ({"ca_file": "/nowhere/ca.pem"}, ConfigError, "ca_file: is no file with certificates in PEM form"),
    "strict_templates": ({"strict_templates": "yes"}, TypeError, "strict_templates= takes True or False, got a text"),
    "debug": ({"debug": 1}, TypeError, "debug= takes True or False, got a number"),
    "session": ({"session": object()}, ConfigError, "session: keeps to no egress policy"),
    "config": ({"config": b"{}"}, ConfigError, "must be an object"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_told_by_its_name(name):
    """When the Mailer is made, with what it takes and what came."""
    change, kind, words = WRONG[name]
    arguments = {"connector": HTTP, "config": RAW} | change
    with pytest.raises(kind, match=words):
        Mailer(arguments.pop("connector"), arguments.pop("config"), **arguments)


def test_the_config_of_another_connector_is_refused():
    """Both are named."""
    typed = authmail.get_connector("smtp").validate_config(SMTP, templates=[1])
    with pytest.raises(TypeError, match="config= is a SMTPConfig, not the HttpConfig of http-email"):
        Mailer(HTTP, typed)


async def test_templates_may_be_json():
    """As they come out of a database."""
    template = {"usageType": "Generic", "subject": "{{code}}", "content": "<p>Hello, {{code}}</p>"}
    mailer = Mailer("smtp", SMTP, templates=[template, Template("SignIn", "in", "{{code}}")])
    assert (await mailer.preview(Message("zoe@example.com", "Register", {"code": "1234"}))).subject == "1234"


async def test_check_account_is_as_strict():
    """The same arguments, the same answers."""
    connector = authmail.get_connector(HTTP)
    assert isinstance(connector, Connector)
    config = connector.validate_config(RAW)
    for change, kind in (({"egress": "any"}, TypeError), ({"timeout": "8"}, TypeError), ({"proxy": "x"}, ConfigError)):
        with pytest.raises(kind):
            await connector.check_account(config, **{"egress": Egress.ANY} | change)
