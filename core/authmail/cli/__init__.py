"""The command line: one module per command."""

import logging
import os

import click

from authmail.cli.alerts import alerts
from authmail.cli.check import check
from authmail.cli.connectors import connectors
from authmail.cli.demo import demo
from authmail.cli.explain import explain
from authmail.cli.forget import forget
from authmail.cli.info import info
from authmail.cli.init import init
from authmail.cli.key import key
from authmail.cli.new_connector import new_connector
from authmail.cli.preview import preview
from authmail.cli.queue import queue
from authmail.cli.sandbox import sandbox
from authmail.cli.schema import schema
from authmail.cli.send import send
from authmail.cli.store import store
from authmail.cli.worker import worker


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="authmail", prog_name="authmail")
@click.pass_context
def main(context: click.Context) -> None:
    """Email for auth servers: sign-in codes, resets and invitations through any provider.

    \b
    Start here:
      authmail demo                              see it work on this machine
      authmail init aliyun-dm > aliyun.json      a config to fill in
      authmail check aliyun.json                 what is wrong with it
      authmail send aliyun.json --to you@example.com

    Exit codes: 0 done, 1 a problem was found, 2 wrong usage.
    """
    if os.environ.get("NO_COLOR"):  # https://no-color.org
        context.color = False


# What became of a message is printed; its log records would only say it again.
for log in ("authmail.delivery", "authmail.alerts", "authmail.queue"):
    logging.getLogger(log).addHandler(logging.NullHandler())

for command in (
    demo,
    connectors,
    info,
    init,
    check,
    preview,
    explain,
    send,
    alerts,
    worker,
    queue,
    key,
    store,
    forget,
    sandbox,
    schema,
    new_connector,
):
    main.add_command(command)
