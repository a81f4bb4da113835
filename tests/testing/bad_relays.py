"""Bad connectors over SMTP: each is `relay`, changed in the lines that break one rule."""

from workshop import bad

HOOKS, CONNECTION, MAIL, CONFIG = ("__init__.py", "connection.py", "mail.py", "config.py")
_SEND = "    return await client.send(compose(email, config), http)\n"
_IMPORTS = "from importlib.resources import files\n"
_RECIPIENT = '        await self.ask(f"RCPT TO:<{mail.recipient}>", 250)\n'
_HAND_OVER = '        said = await self.say(stuffed + b".\\r\\n", "mail", 250)\n'
_RAISE = "            raise refusal(step, code, said)\n"


def sending(code, *imports):
    """Lines instead of the last; SEND stands for the call."""
    call = _SEND.strip().removeprefix("return ")
    return (HOOKS, _SEND, code.replace("SEND", call)), (HOOKS, _IMPORTS, "".join(f"{line}\n" for line in imports) + _IMPORTS)


def before_sending(code, *imports):
    """Lines that run before each mail is made."""
    return sending(f"{code}    return SEND\n", *imports)


BAD = (
    # The dialogue.
    bad("a refused recipient that is not looked at", "dialogue.refusal", (CONNECTION, _RECIPIENT, _RECIPIENT.replace("250", "None")), (CONNECTION, "        if code != wanted:", "        if wanted and code != wanted:"),
        without=("rejected", "not-sent"), not_recorded={"MessageRejected": "…", "Throttled": "…"}),
    bad("an empty mail for a refused recipient", "dialogue.refusal",
        (CONNECTION, _RECIPIENT, f'        try:\n    {_RECIPIENT}        except SendError:\n            await self.say(b"DATA\\r\\n", "DATA", 354)\n            await self.say(b".\\r\\n", "mail", 250)\n            raise\n'),
        without=("rejected", "not-sent"), not_recorded={"MessageRejected": "…", "Throttled": "…"}),
    bad("a reply to the mail that is not looked at", "dialogue.refusal", (CONNECTION, '"mail", 250)', '"mail", None)'), (CONNECTION, "        if code != wanted:", "        if wanted and code != wanted:")),
    bad("a 4xx taken for a rejection", "dialogue.reply-class", (CONNECTION, "    if code < 500:", "    if code < 500 and step in ('RCPT', 'mail'):\n        return MessageRejected('no', **details)\n    if code < 500:"),
        without=("not-sent",)),
    bad("a 5xx that is sent again", "dialogue.reply-class", (CONNECTION, "    if code < 500:", "    if code < 500 or step == 'DATA':")),
    bad("no goodbye", "dialogue.quit", (CONNECTION, '            self.writer.write(b"QUIT\\r\\n")\n            async with asyncio.timeout(1):\n                await self.reader.readline()\n', "            await asyncio.sleep(0)\n")),
    # Outcomes.
    bad("success before the reply to the mail", "time.unknown", (CONNECTION, _HAND_OVER, "        try:\n            async with asyncio.timeout(0.2):\n        " + _HAND_OVER.replace("        said", "        said", 1) + "        except TimeoutError:\n            said = 'probably'\n")),
    bad("a cut after the mail taken for not sent", "time.unknown", (CONNECTION, 'ConnectionCut if step == "mail" else NotConnected', "NotConnected"), without=("unknown",), not_recorded={"OutcomeUnknown": "…", "Throttled": "…"}),
    bad("a cut mail that is sent again", "repeat.unknown", *sending("    try:\n        return SEND\n    except ConnectionError:\n        return SEND\n"), without=("unknown",), not_recorded={"OutcomeUnknown": "…", "Throttled": "…"}),
    bad("a refused mail that is sent again", "repeat.answered", *sending("    try:\n        return SEND\n    except SendError as error:\n        if error.status not in (451, 452):\n            raise\n        return SEND\n")),
    bad("a time limit ignored", "time.limit", (HOOKS, "client: Relay) -> Receipt", "client: Relay, deadline: float) -> Receipt"), *sending("    try:\n        return SEND\n    except asyncio.CancelledError:\n        if time.monotonic() > deadline - 0.1:\n            try:\n                await asyncio.sleep(60)\n            except asyncio.CancelledError:\n                await asyncio.sleep(60)\n        raise\n", "import asyncio", "import time")),
    # The mail.
    bad("dots that are not doubled", "security.headers", (CONNECTION, '.replace(b"\\r\\n.", b"\\r\\n..")', "")),
    bad("a subject that is cut", "mail.whole-subject", (MAIL, "words(email.subject)", "words(email.subject[:60])")),
    bad("a text that is cut", "mail.whole-body", (MAIL, "MIMEText(text, ", "MIMEText(text[:10_000], ")),
    bad("a mail that is changed", "mail.unchanged", *before_sending('    object.__setattr__(email, "from_name", email.from_name or config.sender.name)\n')),
    bad("the sender of the envelope dropped", "request.sender-address", (MAIL, "sender = email.sent_from(config.sender)", "sender = Mailbox(config.sender.address, email.sent_from(config.sender).name)")),
    # Privacy.
    bad("a password in the log", "privacy.log", (CONNECTION, '            await connection.ask(f"AUTH', '            logging.getLogger(__name__).debug("login of %s", login)\n            await connection.ask(f"AUTH'), (CONNECTION, "import asyncio\n", "import asyncio\nimport logging\n")),
    bad("a recipient in the log", "privacy.log", *before_sending("    logging.getLogger(__name__).info('to %s', email.to.address)\n", "import logging")),
    bad("a password in an error", "privacy.error", (CONNECTION, 'f"the relay refuses the account at {step}"', 'f"the relay refuses the account at {step}: {SAID[-1]}"'), (CONNECTION, '            await connection.ask(f"AUTH', '            SAID.append(login)\n            await connection.ask(f"AUTH'), (CONNECTION, "\n\nclass Connection", "\nSAID = []\n\n\nclass Connection")),
    # Connections.
    bad("a connection that is left open", "closing.connections", (HOOKS, "        except BaseException:\n            connection.writer.transport.abort()\n", "        except BaseException:\n            OPEN.append(connection)\n"), (HOOKS, "\n\nclass Relay", "\nOPEN = []\n\n\nclass Relay")),
    bad("connections kept in the module", "tenant.own", (HOOKS, "self.config, self.idle = config, []", "self.config, self.idle = config, IDLE.setdefault((config.host, config.port, asyncio.get_running_loop()), [])"), (HOOKS, "\n\nclass Relay", "\nIDLE = {}\n\n\nclass Relay"), (HOOKS, _IMPORTS, f"import asyncio\n{_IMPORTS}")),
    bad("a sender kept in the module", "tenant.own", (HOOKS, "    return RelayConfig.from_dict(config)\n", "    read = RelayConfig.from_dict(config)\n    SENDERS[read.password] = read.from_email\n    return read\n"), (CONFIG, "\n\n@settings", "\nSENDERS = {}\n\n\n@settings"), (HOOKS, "import RelayConfig\n", "import SENDERS, RelayConfig\n"), (CONFIG, "Mailbox.parse(self.from_email)", "Mailbox.parse(SENDERS[self.password])")),
    bad("one mail for all", "concurrency.cross-talk", *before_sending("    client.mail = email\n    await asyncio.sleep(0)\n    email = client.mail\n", "import asyncio")),
    bad("a wait that blocks", "loop.free", *before_sending("    if threading.current_thread() is not threading.main_thread():\n        time.sleep(0.05)\n", "import threading", "import time")),
    bad("a task left running", "closing.tasks", *before_sending("    RUNNING.append(asyncio.create_task(asyncio.sleep(3600)))\n", "import asyncio", "RUNNING = []")),
    bad("egress passed by", "security.egress", *before_sending("    _, writer = await asyncio.open_connection(config.host, config.port)\n    writer.close()\n", "import asyncio")),
)  # fmt: skip
