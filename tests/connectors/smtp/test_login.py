"""Logins: each prompt gets what it asks for, and no account is locked by trying."""

import asyncio
import base64
import json
import re
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authmail import AccountError, ConfigError, SendError
from authmail_smtp.session import login as login_module
from authmail_smtp.session.mechanisms import WITH_PASSWORD, WITH_TOKEN, Identity, Prompt

from .conftest import CODE, TEMPLATES

CORPUS = json.loads((Path(__file__).parents[2] / "vectors" / "smtp" / "logins.json").read_text("utf-8"))


def encoded(text):
    return base64.b64encode(text.replace("␀", "\0").replace("␁", "\1").encode()).decode()


def auth_of(case):
    """The login's settings, with a long token spelled out."""
    auth = dict(case.get("auth", {"user": "zoe@example.com", "pass": "pa55-w0rd"}))
    if isinstance(long := auth.get("accessToken"), dict):
        auth["accessToken"] = long["repeat"] * long["times"]
    return auth


@asynccontextmanager
async def speaking(case):
    """Serve one dialogue of the corpus; what the client said otherwise is in the list."""
    lines, otherwise = list(case["dialogue"]), []
    done = asyncio.Event()

    def meant(line):
        port = str(server.sockets[0].getsockname()[1])
        line = line[3:].replace("PORT", port).replace("TOKEN", str(auth_of(case).get("accessToken")))
        return re.sub(r"\{(.*)\}", lambda match: encoded(match[1]), line)

    async def converse(reader, writer):
        writer.write(b"220 mx\r\n")
        while line := (await reader.readline()).decode():
            line = line.rstrip("\r\n")
            if line.startswith("EHLO"):
                writer.write(f"250-mx\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH {case['offers']}\r\n".encode())
                continue
            if lines and line != meant(lines.pop(0)):
                otherwise.append(line)
                break
            if line == "QUIT" or lines[:1] == ["S: END"]:
                del lines[:1]
                break
            if not lines or not lines[0].startswith("S: "):  # a mail, after the login
                if line == "DATA":
                    writer.write(b"354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                writer.write(b"250 ok\r\n")
            while lines and lines[0].startswith("S: "):
                writer.write(meant(lines.pop(0)).encode() + b"\r\n")
        writer.close()
        done.set()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], lines, otherwise
        await done.wait()


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CORPUS["cases"]])
async def test_each_prompt_gets_what_it_asks_for(case, mailer_to, smtp, raw):
    """As servers ask, by the standards and by what was reported of real ones; nothing else is said."""
    settings = {"auth": auth_of(case), **case.get("config", {})}
    async with speaking(case) as (port, left, otherwise), mailer_to(port, **settings) as mailer:
        if isinstance(case["outcome"], str):
            await mailer.send(CODE)
            assert mailer._client._history.taken == case["outcome"].lower()
        else:
            with pytest.raises(SendError) as caught:
                await mailer.send(CODE)
            told = {"type": type(caught.value).__name__, **caught.value.to_dict()}
            assert {key: told[key] for key in case["outcome"]} == case["outcome"]
            assert "pa55" not in json.dumps(caught.value.to_dict())
    assert (otherwise, left) == ([], [])


PROMPTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["", "Username:", "User Name\0", "Password:", "user", "E-Mail", "密码", "Login password", "{}", "<1@mx>"]),
).map(lambda text: base64.b64encode(text.encode("utf-8", "replace")).decode()) | st.sampled_from(["Username:", "Password", "ok"])


@given(st.sampled_from(sorted(WITH_PASSWORD | WITH_TOKEN)), st.booleans(), st.lists(PROMPTS, max_size=6))
def test_no_secret_answers_a_prompt_for_a_name(kind, begins, prompts):
    """Whatever the mechanism, whatever came before; and nothing is given for ever."""
    mechanism = (WITH_PASSWORD | WITH_TOKEN)[kind](Identity("zoe", "s3cret", "mx", 587))
    if begins:
        mechanism.begin()
    answers = [(prompt, mechanism.answer(prompt)) for prompt in map(Prompt.of, prompts)]
    assert not [prompt for prompt, answer in answers if answer and b"s3cret" in answer and prompt.asks_for == "name"]
    assert sum(1 for _, answer in answers if answer and b"s3cret" in answer) <= 1


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("VXNlcm5hbWU6", "name"), ("VXNlciBOYW1lAA==", "name"), ("UGFzc3dvcmQ6", "password"), ("", None), ("334", None), ("/////w==", None),
        ("Username:", "name"), (base64.b64encode(b"Mot de passe").decode(), "password"), (base64.b64encode(b"User and password").decode(), None),
    ],
)  # fmt: skip
def test_what_a_prompt_asks_for(said, asked):
    """By its words, encoded or not; one that names both, or neither, says nothing."""
    assert Prompt.of(said).asks_for == asked


def tries(server):
    """The kinds of login that were tried, in order."""
    return [line.split(" ")[1] for line in server.heard if line.startswith("AUTH ")]


async def test_a_wrong_password_is_tried_twice_at_once_and_then_once_a_mail(scripted, mailer_to):
    """Many servers lock an account after a few; another kind is tried again after ten minutes."""
    async with scripted({"AUTH": "535 5.7.8 no"}) as server, mailer_to(server.port) as mailer:
        for wanted in (["PLAIN", "LOGIN"], ["PLAIN"], ["PLAIN"]):
            server.heard.clear()
            with pytest.raises(AccountError):
                await mailer.send(CODE)
            assert tries(server) == wanted
        mailer._client._history._another_at -= login_module._ANOTHER_AFTER
        server.heard.clear()
        with pytest.raises(AccountError):
            await mailer.send(CODE)
        assert tries(server) == ["PLAIN", "LOGIN"]


async def test_many_connections_at_once_try_one_other_kind_together(scripted, mailer_to):
    """Five wrong logins, and one of another kind."""
    async with scripted({"AUTH": "535 5.7.8 no"}) as server, mailer_to(server.port) as mailer:
        await asyncio.gather(*(mailer.send(CODE) for _ in range(5)), return_exceptions=True)
    assert sorted(tries(server)) == ["LOGIN", *["PLAIN"] * 5]


async def test_the_kind_that_was_taken_comes_first_and_alone(scripted, mailer_to):
    """On the next connection; once it is refused, the password has changed, and no other kind helps."""
    answers = {
        "AUTH": ["535 5.7.8 no", "334 VXNlcm5hbWU6", "334 VXNlcm5hbWU6", "334 VXNlcm5hbWU6"],
        "C2FUZGJVEA==": "334 UGFzc3dvcmQ6",
    }
    answers["C2FUZGJVEC1WYXNZD29YZA=="] = ["235 ok", "235 ok", "535 5.7.8 no"]
    answers["DOT"] = ["250 ok!", "250 ok!"]  # each mail has a connection of its own
    async with scripted(answers) as server, mailer_to(server.port) as mailer:
        await mailer.send(CODE)
        await mailer.send(CODE)
        with pytest.raises(AccountError):
            await mailer.send(CODE)
    assert tries(server) == ["PLAIN", "LOGIN", "LOGIN", "LOGIN"]


async def test_without_tls_the_password_stays_here_where_it_can(scripted, mailer_to, server_tls, authority):
    """The one that signs comes first; over TLS the plainest, which every server gets right."""
    offers = ("AUTH LOGIN PLAIN CRAM-MD5",)
    challenge = {"AUTH": "334 PDFAbXg+", "C2FUZGJVECA": "235 ok"}
    async with scripted(challenge, extensions=offers) as server, mailer_to(server.port, timeout=1) as mailer:
        with pytest.raises(SendError):
            await mailer.send(CODE)
    assert tries(server)[0] == "CRAM-MD5"
    trusting = {"host": "localhost", "tls": {"ca": authority.cert_pem.bytes().decode()}}
    async with scripted(tls=server_tls, extensions=offers) as server, mailer_to(server.port, **trusting) as mailer:
        await mailer.send(CODE)
    assert tries(server) == ["PLAIN"]


async def test_a_token_that_one_kind_refuses_is_tried_with_the_other(scripted, mailer_to):
    """XOAUTH2 first, which Google and Microsoft know; OAUTHBEARER is its standard."""
    auth = {"type": "oauth2", "user": "zoe@example.com", "accessToken": "tok"}
    answers = {"AUTH": ["504 5.5.4 what", "235 ok"]}
    async with scripted(answers, extensions=("AUTH OAUTHBEARER XOAUTH2",)) as server, mailer_to(server.port, auth=auth) as mailer:
        await mailer.send(CODE)
    assert tries(server) == ["XOAUTH2", "OAUTHBEARER"]


def test_a_mechanism_that_does_not_fit_the_login(smtp, raw):
    """Is told when the config is read; its name is one of five."""
    for mechanism, auth in (
        ("XOAUTH2", {"user": "u", "pass": "p"}),
        ("PLAIN", {"type": "oauth2", "user": "u", "accessToken": "t"}),
    ):
        with pytest.raises(ConfigError) as caught:
            smtp.validate_config(raw | {"auth": auth, "authMethod": mechanism}, templates=TEMPLATES)
        assert [problem.path for problem in caught.value.problems] == ["authMethod"]
    with pytest.raises(ConfigError, match="authMethod"):
        smtp.validate_config(raw | {"authMethod": "NTLM"}, templates=TEMPLATES)
    assert smtp.validate_config(raw | {"authMethod": "LOGIN"}, templates=TEMPLATES).auth_method == "LOGIN"
