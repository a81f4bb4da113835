"""Bad connectors over HTTP: each is `acme`, changed in the lines that break one rule."""

import json

from workshop import ACME, bad

HOOKS, REQUEST, ANSWERS, CONFIG, EMULATOR = ("__init__.py", "request.py", "answers.py", "config.py", "emulator.py")
_ATTEMPT = "        return receipt(await http.post(request.url, json=request.body, headers=request.headers, limit=limit))\n"
_SEND = "async def send_message(email: Email, "
_REQUEST = "    request = send_request(email, config, key=repeat_key(email))\n"
_VALIDATE = "    return AcmeConfig.from_dict(config)\n"


def before_sending(code, *imports):
    """Lines that run before each request is made."""
    return (HOOKS, _REQUEST, f"{code}{_REQUEST}"), *(
        (HOOKS, "from importlib.resources import files\n", f"from importlib.resources import files\n{line}\n") for line in imports
    )


def around_sending(code, *imports):
    """Lines instead of the attempt's; POST stands for the call."""
    call = _ATTEMPT.strip().removeprefix("return ")
    return (HOOKS, _ATTEMPT, code.replace("POST", call)), *(
        (HOOKS, "from importlib.resources import files\n", f"from importlib.resources import files\n{line}\n") for line in imports
    )


def as_message(code, *imports):
    """Lines that may change a mail rendered from a message."""
    return (HOOKS, _SEND, "async def send_message(message: Any, email: Email, "), *before_sending(
        f"    if message is not email:\n        {code}\n", *imports
    )


def remembering(name, what):
    """A dictionary in the module of the settings, in which each config that is validated leaves something."""
    return (
        (CONFIG, "\n\n@settings", f"\n{name} = {{}}\n\n\n@settings"),
        (HOOKS, _VALIDATE, f"    read = AcmeConfig.from_dict(config)\n    {what}\n    return read\n"),
        (HOOKS, "import AcmeConfig\n", f"import {name}, AcmeConfig\n"),
        (REQUEST, "import AcmeConfig\n", f"import {name}, AcmeConfig\n"),
    )


def recorded_with_repeats(name, times):
    """An exchange whose request is answered in the same way several times."""
    path = f"exchanges/{name}.json"
    text = ACME.files()[path]
    exchange = json.loads(text)
    step = {key: exchange.pop(key) for key in ("request", "answer")}
    return path, text, json.dumps(exchange | {"steps": [step] * times})


def is_about_requests(bad):
    """Whether what is wrong shows before anything is answered."""
    block = bad.rule.partition(".")[0]
    return block in ("metadata", "import", "config", "exchange", "template", "request", "mail") or bad.rule == "privacy.config"


BAD = (
    # What it says of itself.
    bad("a hook is not marked", "metadata.loads", (HOOKS, "@hookimpl\nasync def send_message", "async def send_message")),
    bad("no settings class", "metadata.settings", (HOOKS, "settings=AcmeConfig", "settings=None")),
    bad("an empty description", "metadata.words", ("metadata.json", '"fr": "Acme distribue le courrier."', '"fr": " "')),
    bad("a logo that runs a script", "metadata.logo", ("logo.svg", "<circle", "<script>alert(1)</script><circle")),
    bad("a logo that loads another", "metadata.logo", ("logo.svg", "<circle", '<image href="https://evil.example/x.png"/><circle')),
    bad("a guide without a setting", "metadata.guide", ("README.md", "`endpoint`", "the endpoint")),
    bad("no help for the key", "metadata.labels", (CONFIG, 'help="Console > Keys; the key must be allowed to send"', 'help=""')),
    bad("a key that is a plain text", "metadata.secrets", (CONFIG, "api_key: Secret = setting(", "api_key: str = setting(check=checks.printable, label="), (REQUEST, ".reveal()", "")),
    bad("a condition on nothing", "metadata.conditions", (CONFIG, '"Endpoint", ', '"Endpoint", show_if={"kind": "x"}, ')),
    bad("a translation of nothing", "metadata.conditions", ("metadata.json", '"apiKey": {', '"apiKy": {')),
    # Import.
    bad("a look-up at import", "import.quiet", (HOOKS, "\n\n@hookimpl\ndef get_metadata", "\n\nimport socket\nsocket.getaddrinfo('localhost', 80)\n\n@hookimpl\ndef get_metadata")),
    bad("a file read at validation", "import.quiet", (HOOKS, "    return AcmeConfig.from_dict(config)", "    open('/etc/hostname').close()\n    return AcmeConfig.from_dict(config)")),
    bad("an HTTP client at import", "import.light", (HOOKS, "from typing import", "import aiohttp\nfrom typing import")),
    # Config.
    bad("a test config that is not valid", "config.valid", declared={"apiKey": "key-canary-1"}),
    bad("a test config with a short secret", "config.valid", declared={"apiKey": "key", "fromEmail": "a@mail.example.com"}),
    bad("a config of another type", "config.typed",
        (HOOKS, "    return AcmeConfig.from_dict(config)", "    return Wrapped(AcmeConfig.from_dict(config))"),
        (HOOKS, "@hookimpl\ndef get_metadata", "class Wrapped:\n    def __init__(self, config):\n        self._config = config\n\n    def __getattr__(self, name):\n        return getattr(self._config, name)\n\n\n@hookimpl\ndef get_metadata")),
    bad("a key that is made up", "config.required", (HOOKS, "from_dict(config)", 'from_dict({"apiKey": "key-of-nobody"} | config)')),
    bad("a null that is refused", "config.optional",
        (HOOKS, "    return AcmeConfig.from_dict(config)", '    if "endpoint" in config and config["endpoint"] is None:\n        raise ValueError\n    return AcmeConfig.from_dict(config)')),
    bad("a setting that takes anything", "config.types", (CONFIG, "    templates: tuple", '    more: Any = setting("More", default=None)\n    templates: tuple'),
        (CONFIG, "from collections.abc import Iterable\n", "from collections.abc import Iterable\nfrom typing import Any\n"), ("README.md", "`endpoint`", "`more` `endpoint`")),
    bad("only the first problem", "config.together",
        (HOOKS, "    return AcmeConfig.from_dict(config)", '    if not isinstance(config.get("apiKey"), str):\n        raise ConfigError([Problem("apiKey", "must be text")])\n    return AcmeConfig.from_dict(config)'),
        (HOOKS, "from authmail import AccountReport", "from authmail import ConfigError, Problem, AccountReport")),
    bad("an unknown key that is refused", "config.unknown-keys",
        (HOOKS, "    return AcmeConfig.from_dict(config)", '    if "aKeyThatIsNone" in config:\n        raise ValueError\n    return AcmeConfig.from_dict(config)')),
    bad("a config that is changed", "config.unchanged", (HOOKS, "    return AcmeConfig.from_dict(config)", '    config["seen"] = True\n    return AcmeConfig.from_dict(config)')),
    bad("an endpoint that is not marked", "config.destination", (CONFIG, "destination=True, ", "")),
    bad("an endpoint of another name", "config.endpoint", (CONFIG, "    endpoint: str | None", "    server: str | None"), (CONFIG, "self.endpoint", "self.server"), ("README.md", "`endpoint`", "`server`"),
        (HOOKS, "@hookimpl\ndef get_emulator", "def emulator"), config_for=lambda url: {"server": url}),
    bad("a sender with line breaks", "config.line-breaks", (CONFIG, "        check=checks.one_mailbox,\n", "")),
    bad("a key in a problem", "privacy.config", (CONFIG, "api_key: Secret = setting(", "api_key: Secret = setting(check=printable, label="),
        (CONFIG, "\n\n@settings", "\n\ndef printable(key):\n    if not key.reveal().isprintable():\n        raise ValueError(f'{key.reveal()!r} is not printable')\n\n\n@settings")),
    # Exchanges.
    bad("no accepted exchange", "exchange.readable", without=("accepted",)),
    bad("a success that is not taken", "exchange.accepted", (ANSWERS, "reply.status == 202", "reply.status == 200")),
    bad("no throttled exchange", "exchange.coverage", without=("throttled",)),
    bad("a field more", "exchange.request", (REQUEST, '        "subject"', '        "track_clicks": True,\n        "subject"')),
    bad("a code with another meaning", "exchange.outcome", (ANSWERS, '"suppressed": Meaning(MessageRejected', '"suppressed": Meaning(AccountError')),
    # Templates.
    bad("a subject of its own", "template.values", *as_message('email = evolve(email, subject="Hello")', "from attrs import evolve")),
    bad("HTML that is unescaped", "template.escaped", *as_message("email = evolve(email, html=unescape(email.html))", "from html import unescape\n\nfrom attrs import evolve")),
    # Requests.
    bad("a recipient without its tag", "request.recipient", (REQUEST, '"to": email.to.address', '"to": email.to.address.replace("+tag", "")')),
    bad("a domain that is decoded", "request.international-domain", (REQUEST, '"to": email.to.address', '"to": email.to.address.replace("xn--bcher-kva", "bücher")')),
    bad("a recipient in ASCII", "request.international-recipient", (REQUEST, '"to": email.to.address', '"to": email.to.address.encode("ascii", "ignore").decode()')),
    bad("a subject in ASCII", "request.subject", (REQUEST, '"subject": email.subject', '"subject": email.subject.encode("ascii", "replace").decode()')),
    bad("HTML with other entities", "request.html", (REQUEST, '"html": email.html', '"html": email.html and email.html.replace("+", " ")')),
    bad("no text without HTML", "request.text", (REQUEST, '"text": email.text', '"text": email.text if email.html else None')),
    bad("no text beside HTML", "request.both-parts", (REQUEST, '"text": email.text', '"text": None if email.html else email.text')),
    bad("lines that are broken", "request.long-line", (REQUEST, '"html": email.html', '"html": email.html and email.html.replace("long long long ", "long long long\\n")')),
    bad("the sender's name dropped", "request.sender-name", (REQUEST, "str(email.sent_from(config.sender))", "str(evolve(email.sent_from(config.sender), name=config.sender.name))"), (REQUEST, "from typing", "from attrs import evolve\nfrom typing")),
    bad("the sender's address dropped", "request.sender-address", (REQUEST, "str(email.sent_from(config.sender))", "str(evolve(email.sent_from(config.sender), address=config.sender.address))"), (REQUEST, "from typing", "from attrs import evolve\nfrom typing")),
    bad("the reply address silently dropped", "request.reply-to", (REQUEST, "if email.reply_to else None", "if email.reply_to and email.reply_to.name else None")),
    bad("the reply name dropped", "request.reply-to-name", (REQUEST, "str(email.reply_to) if", "email.reply_to.address if")),
    bad("headers dropped", "request.header", (REQUEST, '        "headers": dict(email.headers) or None,\n', "")),
    bad("the host's key dropped", "request.idempotency-key", (HOOKS, "key=repeat_key(email)", "key=repeat_key(replace(email))"), (HOOKS, "from importlib.resources import files\n", "from importlib.resources import files\n\nfrom attrs import evolve\n\n\ndef replace(email):\n    return evolve(email, idempotency_key=None)\n\n")),
    bad("a declaration that is out of date", "request.header", leaves_out={"header": "it has no field for them"}),
    # What a host hands in.
    bad("a subject that is cut", "mail.whole-subject", (REQUEST, '"subject": email.subject', '"subject": email.subject[:60]')),
    bad("HTML that is cut", "mail.whole-body", (REQUEST, '"html": email.html', '"html": email.html and email.html[:10_000]')),
    bad("blank lines taken out of the text", "mail.whole-body", (REQUEST, '"text": email.text', '"text": email.text and " ".join(email.text.splitlines())')),
    bad("a mail that gets another name", "mail.unchanged", *before_sending('    object.__setattr__(email, "from_name", email.from_name or config.sender.name)\n')),
    bad("a mail that gets another header", "mail.unchanged", *before_sending('    object.__setattr__(email, "headers", email.headers and {**email.headers, "X-Sent": "1"})\n')),
    bad("a payload that is used up", "mail.unchanged", *as_message('message.payload.get("user", {}).pop("teams", None)')),
    # Outcomes.
    bad("success on an unreadable 2xx", "outcome.unreadable-success", (ANSWERS, "raise reply.failure(hint=", 'return Receipt(message_id="unknown") or reply.failure(hint=')),
    bad("a page of an error is a refusal", "outcome.server-error", (ANSWERS, "    return reply.failure(**details)", '    if code is None and reply.status >= 500:\n        return MessageRejected("the provider failed")\n    return reply.failure(**details)')),
    bad("a refusal is sent again", "outcome.refusal", (ANSWERS, "    return reply.failure(**details)", '    if code is None and reply.status == 404:\n        return NotSent("the provider is elsewhere")\n    return reply.failure(**details)'), (ANSWERS, "import AccountError", "import NotSent, AccountError")),
    bad("the hint to wait is lost", "outcome.retry-after", (ANSWERS, "    return reply.failure(**details)", '    if code is None and reply.status == 429:\n        return Throttled("slow down")\n    return reply.failure(**details)'), (ANSWERS, "import AccountError", "import Throttled, AccountError")),
    bad("an answer taken on trust", "outcome.crash", (ANSWERS, 'isinstance(answer, dict) and isinstance(answer.get("id"), str) and answer["id"]', 'answer["id"]')),
    bad("an error without words", "outcome.hint", (ANSWERS, 'hint="the answer has no message id, so nobody knows whether the mail went out"', 'hint=""')),
    # Repeats.
    bad("a repeat that is not declared", "repeat.unknown", repeats_safely=False),
    bad("a retry inside an unknown outcome", "repeat.unknown", *around_sending("        try:\n            return POST\n        except ConnectionError:\n            return POST\n")),
    bad("another key for the repeat", "repeat.identical", *around_sending("        request = send_request(email, config, key=repeat_key(email))\n        return POST\n")),
    bad("a 500 that is asked three times, and recorded so", "repeat.answered",
        *around_sending("        for _ in range(3):\n            reply = await http.post(request.url, json=request.body, headers=request.headers)\n            if reply.status != 500:\n                break\n        return receipt(reply)\n"),
        recorded_with_repeats("unknown", 3)),
    bad("a refusal of its own that is asked twice, and recorded so", "repeat.answered",
        *around_sending("        try:\n            return POST\n        except MessageRejected as error:\n            if error.code != 'suppressed':\n                raise\n            other = send_request(email, config, key=repeat_key(email))\n            return receipt(await http.post(other.url, json=other.body, headers=other.headers))\n", "from authmail import MessageRejected"),
        recorded_with_repeats("rejected", 2)),
    # Time.
    bad("the time limit ignored", "time.limit", *around_sending(
        "        try:\n            return POST\n        except TimeoutError:\n            try:\n                await asyncio.sleep(60)\n            except asyncio.CancelledError:\n                await asyncio.sleep(60)\n            raise\n", "import asyncio")),
    bad("a time-out taken for not sent", "time.unknown", *around_sending("        try:\n            return POST\n        except TimeoutError:\n            raise NotSent('no answer')\n", "from authmail import NotSent")),
    bad("a cancellation that is swallowed", "time.cancel", *around_sending("        try:\n            return POST\n        except asyncio.CancelledError:\n            raise OutcomeUnknown('cancelled')\n", "import asyncio\n\nfrom authmail import OutcomeUnknown")),
    # Faults.
    bad("no connection taken for unknown", "fault.before", *around_sending("        try:\n            return POST\n        except NotConnected:\n            raise OutcomeUnknown('no network')\n", "from authmail import OutcomeUnknown\nfrom authmail.outcomes import NotConnected")),
    bad("a cut taken for not sent", "fault.during", *around_sending("        try:\n            return POST\n        except ConnectionCut:\n            raise NotSent('cut')\n", "from authmail import NotSent\nfrom authmail.outcomes import ConnectionCut")),
    bad("garbage taken for a refusal", "fault.after", *around_sending("        try:\n            return POST\n        except OutcomeUnknown as error:\n            if error.status is None and error.phase == 'after':\n                raise MessageRejected('no HTTP')\n            raise\n", "from authmail import MessageRejected, OutcomeUnknown")),
    bad("an answer that must say its length", "fault.harmless", (ANSWERS, "    answer = reply.json()", '    if "Content-Length" not in reply.headers:\n        raise reply.failure()\n    answer = reply.json()')),
    # Closing.
    bad("a socket left open", "closing.connections", *around_sending("        reply = await http.post(request.url, json=request.body, headers=request.headers, limit=limit)\n        url = urlsplit(request.url)\n        if reply.status == 500:\n            OPEN.append(await asyncio.open_connection(url.hostname, url.port))\n        return receipt(reply)\n", "import asyncio\nfrom urllib.parse import urlsplit\n\nOPEN = []")),
    bad("a task left running", "closing.tasks", *around_sending("        RUNNING.append(asyncio.create_task(asyncio.sleep(3600)))\n        return POST\n", "import asyncio\n\nRUNNING = []")),
    bad("a client that opens once", "closing.again", (HOOKS, "@hookimpl\nasync def check", "@hookimpl\n@asynccontextmanager\nasync def open_client(config):\n    if any(config is known for known in OPENED):\n        raise RuntimeError\n    OPENED.append(config)\n    yield None\n\n\n@hookimpl\nasync def check"), (HOOKS, "from importlib.resources import files\n", "from contextlib import asynccontextmanager\nfrom importlib.resources import files\n\nOPENED = []\n")),
    bad("a module bound to a loop", "closing.loops", *before_sending("    LOOPS.append(asyncio.get_running_loop())\n    if LOOPS[0] is not LOOPS[-1]:\n        raise RuntimeError\n", "import asyncio\n\nLOOPS = []")),
    # Many at once.
    bad("state in the module", "concurrency.cross-talk", (HOOKS, _REQUEST, f"    STATE[id(config)] = email\n    await asyncio.sleep(0)\n    email = STATE[id(config)]\n{_REQUEST}"), (HOOKS, "from importlib.resources import files\n", "import asyncio\nfrom importlib.resources import files\n\nSTATE = {}\n")),
    # Many tenants.
    bad("the last config's key of a place", "tenant.own", *remembering("KEYS", "KEYS[read.url] = read.api_key"), (REQUEST, "**authorization(config)", '"Authorization": f"Bearer {KEYS[config.url].reveal()}"')),
    bad("the last config's sender of a key", "tenant.own", *remembering("SENDERS", "SENDERS[read.api_key] = read.sender"), (REQUEST, "email.sent_from(config.sender)", "email.sent_from(SENDERS[config.api_key])")),
    # The loop. In the kit's thread alone, which measures: else the whole kit would wait for them.
    bad("a wait that blocks", "loop.free", *before_sending("    if threading.current_thread() is not threading.main_thread():\n        time.sleep(0.05)\n", "import threading\nimport time")),
    bad("a computation that blocks", "loop.free", *before_sending("    until = time.thread_time() + 0.05\n    while threading.current_thread() is not threading.main_thread() and time.thread_time() < until:\n        pass\n", "import threading\nimport time")),
    # Security.
    bad("egress passed by", "security.egress", *before_sending("    url = urlsplit(config.url)\n    with suppress(OSError):\n        _, writer = await asyncio.open_connection(url.hostname, url.port)\n        writer.close()\n", "import asyncio\nfrom contextlib import suppress\nfrom urllib.parse import urlsplit")),
    bad("redirects followed", "security.redirect",
        (HOOKS, _SEND, "async def send_message(client: Any, email: Email, "),
        *around_sending(
            "        import aiohttp\n\n        http._transport.egress.check_url(request.url)\n        try:\n            async with aiohttp.ClientSession() as session, session.post(request.url, json=request.body, headers=request.headers) as answer:\n"
            "                return receipt(Reply(answer.status, answer.headers, await answer.read()))\n        except aiohttp.ClientConnectorError:\n            raise NotConnected from None\n        except aiohttp.ClientResponseError:\n            raise OutcomeUnknown from None\n        except aiohttp.ClientError:\n            raise ConnectionCut from None\n",
            "from authmail.outcomes import ConnectionCut, NotConnected, OutcomeUnknown\nfrom authmail.http.reply import Reply")),
    bad("a header made by hand", "security.headers", (REQUEST, "    return Request(", '    lines = f"Idempotency-Key: {email.idempotency_key or key}".splitlines()\n    named = dict(line.split(": ", 1) for line in lines)\n    return Request('), (REQUEST, '{"Idempotency-Key": key, **', "{**named, **")),
    # Privacy.
    bad("a key in an error", "privacy.error", *around_sending("        try:\n            return POST\n        except AccountError as error:\n            raise error.afresh(hint=f'is {config.api_key.reveal()} right?')\n", "from authmail import AccountError")),
    bad("an address in a hint", "privacy.error", *around_sending("        try:\n            return POST\n        except AccountError as error:\n            raise error.afresh(hint=f'no mail for {email.to.address}')\n", "from authmail import AccountError")),
    bad("a key in Base64 in an error", "privacy.error", *around_sending("        try:\n            return POST\n        except AccountError as error:\n            raise error.afresh(hint=b64encode(b'user:' + config.api_key.reveal().encode()).decode())\n", "from base64 import b64encode\n\nfrom authmail import AccountError")),
    bad("a code in a receipt", "privacy.receipt", *around_sending("        return evolve(POST, detail=email.subject)\n", "from attrs import evolve")),
    bad("a code in the log", "privacy.log", *before_sending("    logging.getLogger(__name__).info('sending %s', email.subject)\n", "import logging")),
    bad("a recipient in the log", "privacy.log", *before_sending("    logging.getLogger(__name__).debug('to %s', email.to.address)\n", "import logging")),
    bad("a code in a frame's locals", "privacy.frames", *around_sending("        try:\n            return POST\n        except Exception:\n            logging.getLogger(__name__).warning('it failed', exc_info=True)\n            raise\n", "import logging")),
    # Emulator.
    bad("an emulator that forgets the connector", "emulator.accepts", (EMULATOR, 'connector="acme-mail"', 'connector="acme"')),
    bad("an emulator that takes any key", "emulator.credentials", (EMULATOR, 'if request.headers.get("Authorization") != "Bearer sandbox-key":', 'if "Authorization" not in request.headers:')),
)  # fmt: skip
