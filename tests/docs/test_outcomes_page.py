"""docs/outcomes.md: complete, and the function in it does what its table says."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

import authmail
from authmail import AuthmailError, ConfigError, ConnectorNotFound, Limited, Phase, Reason, Receipt, SendError

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "outcomes.md").read_text("utf-8")
ROW = re.compile(r"^\| `(\w+)` \| (`.+?) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
ROWS = {row[1]: row for row in ROW.finditer(PAGE.partition("## Every reason")[2].partition("\n## ")[0])}


@pytest.fixture(scope="module")
def answers():
    specification = importlib.util.spec_from_file_location("answers", DOCS / "examples" / "answers.py")
    module = sys.modules["answers"] = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    yield module
    del sys.modules["answers"]


def named(text):
    return re.findall(r"`(\w+)`", text)


def test_every_reason_is_explained():
    """Each in a row, and no other."""
    assert set(ROWS) == set(Reason)


def test_every_public_outcome_is_explained():
    """Each class of the package that can come of a message, and each phase."""
    kinds = [kind for name in authmail.__all__ if isinstance(kind := getattr(authmail, name), type)]
    outcomes = {Receipt, *(kind for kind in kinds if issubclass(kind, AuthmailError)), ConfigError, ConnectorNotFound}
    assert not [kind.__name__ for kind in outcomes if f"`{kind.__name__}`" not in PAGE]
    assert not [phase for phase in Phase if f"| `{phase}` |" not in PAGE]


def test_every_attribute_is_explained():
    """Those of to_dict(), and what an error says of itself as a class."""
    table = PAGE.partition("## What an error carries")[2].partition("\n\nNone of them")[0]
    assert {*SendError().to_dict(), "consequence"} <= set(named(table))


@pytest.mark.parametrize("reason", Reason)
def test_the_function_says_what_the_table_says(answers, reason):
    """For each reason with each outcome that it comes with."""
    kinds, sentences = named(ROWS[reason][2]), named(ROWS[reason][4])
    for index, name in enumerate(kinds):
        kind = getattr(authmail, name)
        if kind is Limited:
            continue  # told as it is, says the page
        sentence = getattr(answers, sentences[min(index, len(sentences) - 1)])
        assert answers.answer_for(kind("a hint", reason=reason)).text == sentence, name


def test_whoever_must_act_is_alerted(answers):
    """An account's error and a refusal of ours alert; a typing error and a busy provider do not."""
    alerts = {
        (name, reason)
        for name in authmail.__all__
        if isinstance(kind := getattr(authmail, name), type) and issubclass(kind, SendError)
        for reason in Reason
        if answers.answer_for(kind(reason=reason)).alert
    }
    assert {name for name, _ in alerts} == {"AccountError", "MessageRejected", "TemplateError"}
    assert not {reason for name, reason in alerts if name == "MessageRejected"} & {"recipient", "suppressed"}


def test_seconds_are_whole_and_never_none(answers):
    """Of what the provider asked for; a half becomes one, and 30 where it asked for nothing."""
    assert [answers.answer_for(authmail.Throttled(retry_after=seconds)).retry_after for seconds in (0.2, 3.0, None)] == [1, 3, 30]


def test_the_handler_of_the_page_runs(answers, served, tmp_path):
    """As it stands, with the sandbox behind it."""
    handler = re.search(r"^```python\n# handler\.py\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]
    names = {}
    exec(compile(handler, "handler.py", "exec"), names)
    config = {
        "accessKeyId": "sandbox-access-key",
        "accessKeySecret": "sandbox-secret",
        "accountName": "no-reply@mail.sandbox.example",
        "endpoint": served.endpoint("aliyun-direct-mail"),
    }
    templates = [authmail.Template("SignIn", "s", "<p>Hello, {{code}}</p>")]
    with names["Mailer"]("aliyun-dm", config, templates=templates, egress=authmail.Egress.ANY) as mailer:
        assert names["send_code"](mailer, "zoe@example.com", "123456").status == 202
        assert names["send_code"](mailer, "crash@example.com", "123456") == (202, answers.MAYBE, None, False)
