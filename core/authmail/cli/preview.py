"""authmail preview."""

import asyncio

import click

from authmail import ConfigError, Email, Message, SendError, Template
from authmail.cli.config_file import ConfigFile, DeliveryFile, config_argument, load_any, stop, stop_failed
from authmail.cli.message_options import message_of, message_options
from authmail.cli.output import print_json


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
    """Show the mail that would be sent. Contacts nobody.

    \b
    Examples:
      authmail preview aliyun.json --type SignIn --locale fr-CA
      authmail preview aliyun.json --type OrganizationInvitation --payload organization.name=Acme --html > mail.html
    """
    file = load_any(config, connector)
    try:
        email, template = asyncio.run(_preview(file, message_of(to, usage_type, locale, payload)))
    except ConfigError as error:
        stop(config, error, as_json=as_json)
    except SendError as error:
        stop_failed(error, as_json=as_json, mail=False)
    if as_json:
        print_json(_as_json(email) | {"template": template and {"usageType": template.usage_type, "locale": template.locale}})
    elif part is not None:
        body = getattr(email, part)
        if body is None:
            raise click.ClickException(f"this mail has no {part} part")
        click.echo(body)
    else:
        _print(email, _named(template, usage_type))


async def _preview(file: ConfigFile | DeliveryFile, message: Message) -> tuple[Email, Template | None]:
    delivery = file.delivery()
    return await delivery.preview(message), await delivery.template_of(message)


def _named(template: Template | None, usage_type: str) -> str:
    if template is None:
        return ""
    instead = "" if template.usage_type == usage_type else f" (there is none for {usage_type})"
    return f"{template.usage_type}, {template.locale or 'all languages'}{instead}"


def _print(email: Email, template: str) -> None:
    headers = {
        "Template": template,
        "To": str(email.to),
        "Sender": _sender(email) or "(as configured)",
        "Reply-To": str(email.reply_to or ""),
        "Subject": email.subject,
    }
    for name, value in headers.items():
        if value:
            click.echo(f"{click.style(name + ':', bold=True)} {value}")
    click.echo(f"\n{email.text or ''}\n")
    if email.html is not None:
        whose = "the template's own" if email.text_is_own else "derived from the HTML; a connector may send the HTML alone"
        click.echo(click.style(f"[HTML part: {len(email.html)} characters, see --html; text part: {whose}]", dim=True))


def _sender(email: Email) -> str:
    return " ".join(part for part in (email.from_name, f"<{email.from_address}>" if email.from_address else "") if part)


def _as_json(email: Email) -> dict[str, object]:
    return {
        "to": str(email.to),
        "sender": _sender(email) or None,
        "replyTo": str(email.reply_to) if email.reply_to else None,
        "subject": email.subject,
        "html": email.html,
        "text": email.text,
        "textIsOwn": email.text_is_own,
    }
