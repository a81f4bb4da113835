"""What error trackers show of the frames of an error: nothing that was handed in, whoever draws them, with defaults."""

import inspect
import io
import json
import pkgutil
import traceback
from enum import Enum
from importlib import import_module
from importlib.metadata import entry_points

import attrs
import django_project
import loguru
import pytest
import sentry_sdk
import stackprinter
import structlog
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from authmail import AccountError, ConfigError, Egress, Email, Mailer, Message, Settings, get_connector, load
from authmail.sandbox import Sandbox

CODE = "482913"
MODULES = ("authmail", "authmail.sync", "authmail.delivery", "authmail.delivery.sync", "authmail.templates")
#: What a developer calls with what he wrote himself, while the host starts.
FOR_DEVELOPERS = {
    "AlertWay",
    "ConnectorMetadata",
    "Limit",
    "MessageSender",
    "Spoken",
    "Store",
    "Turn",
    "header",
    "hide_fields",
    "hookimpl",
    "json_api",
    "member",
    "say",
    "setting",
    "settings",
}
#: A stranger's value in place of everything: of the wrong kind, so that whatever reads it refuses it.
STRANGE = {"code": CODE, "apiKey": CODE}


def callables():
    """Yield a name and a call of every public function, class and class method."""
    for module in MODULES:
        loaded = import_module(module)
        for name in sorted(loaded.__all__):
            value = getattr(loaded, name)
            if (
                not callable(value)
                or name in FOR_DEVELOPERS
                or (inspect.isclass(value) and issubclass(value, BaseException | Enum))
            ):
                continue
            yield f"{module}.{name}", value
            if inspect.isclass(value):
                for member in sorted(vars(value)):
                    if not member.startswith("_") and isinstance(vars(value)[member], classmethod | staticmethod):
                        yield f"{module}.{name}.{member}", getattr(value, member)


CALLABLES = dict(callables())


def strange_arguments(called):
    """Return as many strange arguments as a call needs."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = inspect.signature(called).parameters.values()
    except (ValueError, TypeError):
        parameters = ()
    needed = [one for one in parameters if one.kind in kinds and one.default is inspect.Parameter.empty]
    named = {one.name: STRANGE for one in parameters if one.kind is one.KEYWORD_ONLY and one.default is one.empty}
    return [STRANGE] * max(len(needed), 1), named


@pytest.mark.parametrize("name", CALLABLES)
def test_a_refused_argument_stands_in_no_frame(name):
    """Of whatever is public: the error has no frame of ours, for one may hold the argument."""
    arguments, named = strange_arguments(CALLABLES[name])
    try:
        CALLABLES[name](*arguments, **named)
    except Exception as error:  # noqa: BLE001 (whatever it is)
        frames = list(traceback.walk_tb(error.__traceback__))[1:]
        shown = [(frame.f_code.co_qualname, pretty_repr(frame.f_locals)) for frame, _ in frames]
        assert [(where, local) for where, local in shown if CODE in local] == []
        assert error.__cause__ is error.__context__ is None
        assert CODE not in str(error)


#: Classes of ours that a program may draw field by field: none of their fields can hold a code, a link, a body, a secret
#: or an address; those of a store hold digests, answers and what rests. A new class stands here, or has
#: ``field_transformer=hide_fields``.
SHOWN = {
    "AccountReport", "Aim", "Alert", "Answers", "ApiSettings", "Begun", "BrokenConnector", "Candidates", "Case", "Claim",
    "Clocks", "Composer", "Connector", "ConnectorMetadata", "Coverage", "DeliverySettings", "Egress", "EngineRule", "Entry",
    "Fault", "FaultOutcome", "Feature", "FileSettings", "Form", "FormItem", "FromAddresses", "KitRule", "Layout", "Limit",
    "LimitSettings", "LimitsSettings", "Meaning", "NewJob", "Note", "Opening", "Placeholder", "Problem", "ProviderTemplate",
    "Receipt", "References", "Route", "RouteSettings", "Row", "Rule", "Rules", "Script", "Seen", "Sent", "Spec", "Spoken",
    "Spot", "State", "Statistics", "Step", "StoreCheck", "StoreRule", "StoreStats", "Strangers", "Template", "Ticket",
    "Trail", "Trip", "Turn", "_Checked", "_Facts", "_Mark", "_Part", "_Plan", "_Replayed", "_Seen", "_Sending", "_Serving",
    "_Trouble", "_Turn", "_Walk",
}  # fmt: skip
#: Of the kit: what they hold is made up by recorded exchanges.
OF_THE_KIT = {"authmail.testing.exchange", "authmail.testing.fault_server", "authmail.testing.wire"}


def classes():
    """Return every attrs class of core and of our connectors that is no config."""
    found = set()
    django_project.configure()
    for name in ("authmail", *sorted(point.module for point in entry_points(group="authmail.connectors"))):
        package = import_module(name.partition(".")[0])
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if info.name.endswith("__main__"):
                continue
            module = import_module(info.name)
            found |= {value for value in vars(module).values() if inspect.isclass(value) and value.__module__ == info.name}
    return {one for one in found if attrs.has(one) and one.__module__ not in OF_THE_KIT and not issubclass(one, Settings)}


def test_every_class_hides_its_fields_or_is_known_to_hold_nothing():
    """Rich reads the fields of an attrs class, whatever its ``__repr__`` says."""
    showing = {one.__name__ for one in classes() if any(field.repr for field in attrs.fields(one))}
    assert sorted(showing - SHOWN) == []


def draw_with_rich(error):
    console = Console(file=io.StringIO(), width=200)
    console.print(Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True))
    return console.file.getvalue()


def draw_with_structlog(error):
    out = io.StringIO()
    log = structlog.wrap_logger(
        structlog.PrintLogger(out), processors=[structlog.processors.format_exc_info, structlog.dev.ConsoleRenderer()]
    )
    log.error("it failed", exc_info=error)
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.RichTracebackFormatter(color_system=None))
    structlog.wrap_logger(structlog.PrintLogger(out), processors=[renderer]).error("it failed", exc_info=error)
    structured = [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    structlog.wrap_logger(structlog.PrintLogger(out), processors=structured).error("it failed", exc_info=error)
    return out.getvalue()


def draw_with_sentry(error):
    sent = []
    client = sentry_sdk.Client(dsn="http://key@127.0.0.1:9/1", before_send=lambda event, _: sent.append(event))
    event, hint = sentry_sdk.utils.event_from_exception(error, client_options=client.options)
    client.capture_event(event, hint)
    client.close(timeout=0)
    (kept,) = sent
    return json.dumps(kept, default=repr)


def draw_with_loguru(error):
    out = io.StringIO()
    handler = loguru.logger.add(out)
    loguru.logger.opt(exception=error).error("it failed")
    loguru.logger.remove(handler)
    return out.getvalue()


def draw_with_stackprinter(error):
    return stackprinter.format(error, truncate_vals=10_000)


DRAWERS = [draw_with_rich, draw_with_structlog, draw_with_sentry, draw_with_loguru, draw_with_stackprinter]
KEY = "re_Zq81secretKey77"
LINK = "https://app.example.com/reset?token=tok_9f8e7d6c5b"
BODY = "Dear Zoe, only you may read this sentence."


PAYLOAD = {"code": CODE, "link": LINK, "user": {"name": BODY}}
FILES = {
    "a config that is wrong": f'[senders.a]\nconnector = "resend-mail"\nconfig = {{ apiKey = "{KEY}", fromEmail = 7 }}\n',
    "a slip of TOML": f'[senders.a]\nconfig = {{ apiKey = "{KEY}\n',
}
GIVEN = {
    "a message": lambda: Message("zoe@example.com", "SignIn", PAYLOAD),
    "a mail": lambda: Email("zoe@example.com", f"{CODE} is your code", text=f"{BODY} {LINK}"),
    "another kind": lambda: {"to": "zoe@example.com", "type": "SignIn", "payload": PAYLOAD},
}


async def host(send, make):
    """Call us as a host does, whose own frame holds a Message or Email of ours."""
    given = make()
    return await send(given)


async def hurried(send, make):
    """Call us with what is made on the spot; a dict of the host's own would be its own to hide."""
    return await send(make())


async def raised(call, *arguments):
    """Return the error of a call, with its frames."""
    try:
        await call(*arguments)
    except Exception as error:  # noqa: BLE001 (whatever it is)
        return error
    raise AssertionError("nothing was refused")


@pytest.mark.parametrize("draw", DRAWERS, ids=lambda draw: draw.__name__)
@pytest.mark.parametrize("given", GIVEN)
async def test_what_draws_frames_shows_nothing_of_a_send(draw, given):
    """With its defaults; the provider refuses the key."""
    body = {"subject": "Code", "content": "{{code}} {{link}} {{user.name}}", "contentType": "text/plain"}
    templates = [body | {"usageType": kind} for kind in ("SignIn", "Register", "ForgotPassword", "Generic")]
    async with Sandbox({"resend-mail": get_connector("resend-mail").get_emulator()}) as sandbox:
        config = sandbox.config("resend-mail") | {"apiKey": KEY, "templates": templates}
        async with Mailer("resend-mail", config, egress=Egress.ANY) as mailer:
            error = await raised(hurried if given == "another kind" else host, mailer.send, GIVEN[given])
    assert_hidden(draw(error))
    assert isinstance(error, TypeError if given == "another kind" else AccountError)


@pytest.mark.parametrize("draw", DRAWERS, ids=lambda draw: draw.__name__)
@pytest.mark.parametrize("file", FILES)
async def test_what_draws_frames_shows_nothing_of_a_file(draw, file, tmp_path):
    """Nor of the config in it."""
    path = tmp_path / "authmail.toml"
    path.write_text(FILES[file], "utf-8")

    async def start():
        load(path)

    error = await raised(start)
    assert_hidden(draw(error))
    assert isinstance(error, ConfigError)


@pytest.mark.parametrize("draw", DRAWERS, ids=lambda draw: draw.__name__)
async def test_what_draws_frames_shows_nothing_of_a_config(draw):
    """That is refused."""

    async def validate():
        get_connector("resend-mail").validate_config({key: [globals()["KEY"]] for key in ("apiKey", "fromEmail")})

    error = await raised(validate)
    assert_hidden(draw(error))
    assert isinstance(error, ConfigError)


def assert_hidden(shown):
    """Whatever is confidential here is not in what was drawn, but the error is."""
    assert "Error" in shown or "error" in shown
    assert [text for text in (CODE, KEY, LINK.partition("=")[2], BODY) if text in shown] == []
