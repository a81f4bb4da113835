"""The reference's dialogue and mail, captured against a real server; where ours differs it is named here."""

import email.policy
from email import message_from_bytes
from email.message import EmailMessage

import pytest

from authmail import AccountError, ConfigError, Egress, Mailer, Message, MessageRejected, NotSent, SendError

from .conftest import SMTP

SCRIPTS = {
    "auth535": {"AUTH": "535 5.7.8 bad credentials"},
    "rcpt450": {"RCPT": "450 4.2.0 greylisted"},
    "greet421": {"GREETING": "421 busy!"},
    "silent": {"GREETING": None},
}
ERRORS = {
    "smtp-24-err-auth535": AccountError,
    "smtp-26-err-rcpt450": NotSent,
    "smtp-28-err-greet421": NotSent,
    "smtp-30-err-secure-on-plain-port": AccountError,
    "smtp-32-err-silent-greeting": NotSent,
}
#: One mail has one recipient, and an address cannot hold a command.
REFUSED = {"smtp-20-to-list", "smtp-22-to-crlf"}
#: Values are escaped, words of strangers cannot become an address, a name alone keeps the sender's address.
OTHER_HEADERS = {
    "smtp-05-crlf-subject": {},
    "smtp-10-i18n-html-full": {"Reply-To": "Support Acme Inc <help@example.com>"},
    "smtp-14-i18n-nameonly-no-replyto": {"From": '"Brand Web & Co" <noreply@example.com>'},
}
#: After a refusal one other kind of login is tried.
FURTHER_COMMANDS = {"smtp-24-err-auth535": ["AUTH LOGIN"]}
OTHER_BODY = {
    "smtp-10-i18n-html-full": "<h1>Web &amp; Co</h1><p>111111</p>",
    "smtp-03-invitation": '<a href="https://app.example.com/i?x=1&amp;y=2">Join</a>',
}


def cases():
    import json
    from pathlib import Path

    file = Path(__file__).parents[2] / "vectors" / "logto" / "wire_smtp.json"
    return [pytest.param(case, id=case["id"]) for case in json.loads(file.read_text("utf-8"))["cases"]]


class Store:
    """The host's templates, as the reference's i18n templates are."""

    def __init__(self, case):
        self.case = case

    def get_templates(self, type, locales, message):
        from authmail import Template

        given = self.case.get("i18n_template")
        return (
            [Template.from_dict(given | {"usageType": type, "contentType": given.get("contentType", "text/html")})]
            if given
            else []
        )


@pytest.mark.parametrize("case", cases())
async def test_dialogue_and_mail_of_the_reference(case, scripted):
    """Commands, headers, body and outcome."""
    from authmail import hookimpl

    behaviour = case["server_behaviour"]
    answers = next((SCRIPTS[name] for name in behaviour if name in SCRIPTS), {}) if isinstance(behaviour, dict) else {}
    extensions = ("8BITMIME", "SMTPUTF8") if "noauth" in behaviour else ("AUTH LOGIN PLAIN", "8BITMIME", "SMTPUTF8")
    store = Store(case)
    store.get_templates = hookimpl(Store.get_templates).__get__(store)
    async with scripted(answers, extensions=extensions) as server:
        if case["outcome"].get("error", {}).get("code") == "invalid_config":
            with pytest.raises(ConfigError):
                Mailer(SMTP, case["config"])
            return
        raw = case["config"] | {"port": server.port}
        message = Message(case["message"]["to"], case["message"]["type"], case["message"]["payload"])
        async with Mailer(SMTP, raw, egress=Egress.ANY, plugins=[store], timeout=2) as mailer:
            if not case["outcome"]["ok"] or case["id"] in REFUSED:
                with pytest.raises(ERRORS.get(case["id"], MessageRejected)) as caught:
                    await mailer.send(message)
                assert isinstance(caught.value, SendError)
            else:
                await mailer.send(message)
    heard = [line for line in server.heard if line != "QUIT"]
    if case["id"] in REFUSED:
        assert heard == []
        return
    wanted = ["EHLO (host name varies)" if line.startswith("EHLO") else line for line in case["commands"]]
    sender = "MAIL FROM:<noreply@example.com>"
    wanted = [sender if line == "MAIL FROM:<>" else line for line in wanted]  # the sender's address is never lost
    assert [line if not line.startswith("EHLO") else "EHLO (host name varies)" for line in heard] == [
        *wanted,
        *FURTHER_COMMANDS.get(case["id"], []),
    ]
    assert len(server.mails) == (1 if case["mime"] else 0)
    if case["mime"]:
        compare(server.mails[0], case)


def compare(data, case):
    message = message_from_bytes(data, policy=email.policy.default)
    headers = {name: value for name, value in case["mime"]["headers"] if name != "X-Many"} | OTHER_HEADERS.get(case["id"], {})
    for name, value in headers.items():
        if name in ("Message-ID", "Date"):
            assert message[name]
        elif name not in ("Content-Type", "Content-Transfer-Encoding"):  # text and HTML are alternatives
            shown = EmailMessage(policy=email.policy.default)
            shown[name] = value
            assert str(message[name]) == str(shown[name]), name
    many = [value for name, value in case["mime"]["headers"] if name == "X-Many"]
    assert (message.get_all("X-Many") or []) == many
    html = message.get_body(("html",)).get_content().replace("\r\n", "\n").removesuffix("\n")
    body = OTHER_BODY.get(case["id"], case["mime"]["body"])
    assert html == body.replace("1\r\nBcc", "1\r\nBcc").replace("\r\n", "\n")
