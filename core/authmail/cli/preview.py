"""authmail preview."""

import asyncio

import click

from authmail import ConfigError, SendError, Template, say
from authmail.cli.config_file import config_argument, load_any, stop, stop_failed
from authmail.cli.language import told
from authmail.cli.message_options import message_of, message_options
from authmail.cli.output import as_dicts, echo, print_json, print_part, print_strangers, print_warnings, styled
from authmail.cli.previews import Preview, preview_of


@click.command(short_help="Show a mail without sending it.")
@config_argument
@message_options
@click.option("--to", default="you@example.com", show_default=True, metavar="ADDRESS", help="Recipient to show.")
@click.option("--html", "part", flag_value="html", help="Print the HTML part alone.")
@click.option("--text", "part", flag_value="text", help="Print the text part alone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def preview(
    config: str,
    connector: str | None,
    usage_type: str,
    locale: str | None,
    payload: tuple[str, ...],
    to: str,
    part: str | None,
    as_json: bool,
) -> None:
    """Show the mail that would be sent. Contacts nobody, and needs no credentials.

    \b
    Examples:
      authmail preview aliyun.json --type SignIn --locale fr-CA
      authmail preview aliyun.json --type OrganizationInvitation --payload organization.name=Acme --html > mail.html
    """
    file = load_any(config, connector)
    message = message_of(to, usage_type, locale, payload, file.usage_types)
    try:
        shown = asyncio.run(preview_of(file, message))
    except ConfigError as error:
        stop(config, error, file.warnings())
    except SendError as error:
        stop_failed(error, as_json=as_json, mail=False)
    if as_json:
        print_json(_as_json(shown))
    elif part is not None:
        body = getattr(shown.email, part)
        if body is None:
            raise click.ClickException(f"this mail has no {part} part")
        print_part(body)
    else:
        _print(shown, usage_type)


def _named(template: Template | None, usage_type: str) -> str:
    if template is None:
        return ""
    instead = "" if template.usage_type == usage_type else told(say(" (there is none for {type})", type=usage_type))
    return f"{template.usage_type}, {template.locale or told(say('all languages'))}{instead}"


def _print(shown: Preview, usage_type: str) -> None:
    email = shown.email
    headers = {
        say("Template"): _named(shown.template, usage_type),
        say("From"): shown.sender,
        say("To"): str(email.to),
        say("Reply-To"): str(email.reply_to or ""),
        say("Subject"): email.subject,
    }
    for name, value in headers.items():
        if value:
            echo(styled(f"{told(name)}:", bold=True), f" {value}")
    echo(f"\n{email.text or ''}\n")
    if email.html is not None:
        whose = (
            say("the template's own") if email.text_is_own else say("derived from the HTML; a connector may send the HTML alone")
        )
        part = say("HTML part: {count} characters, see --html; text part: {whose}", count=len(email.html), whose=whose)
        echo(styled(f"[{told(part)}]", dim=True))
    print_strangers(shown.strangers)
    print_warnings(shown.warnings, err=True)
    if shown.unfinished:
        echo(told(say("Not ready to send yet: authmail check says what is missing.")), err=True)


def _as_json(shown: Preview) -> dict[str, object]:
    email, template = shown.email, shown.template
    return {
        "to": str(email.to),
        "sender": shown.sender or None,
        "replyTo": str(email.reply_to) if email.reply_to else None,
        "subject": email.subject,
        "html": email.html,
        "text": email.text,
        "textIsOwn": email.text_is_own,
        "template": template and {"usageType": template.usage_type, "locale": template.locale},
        "strangers": list(shown.strangers),
        "warnings": as_dicts(shown.warnings),
    }
