import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

from click.testing import CliRunner

from authmail import connector_ids
from authmail.cli import main

AUTHMAIL = [sys.executable, "-W", "error", "-c", "from authmail.cli import main; main()"]


def start(*arguments, **options):
    """Start authmail as a terminal does: a shell's background job, as a test run may be, ignores Ctrl-C and hands that on."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    heed = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen([*AUTHMAIL, *arguments], **streams)
    finally:
        signal.signal(signal.SIGINT, heed)


def test_serves_until_ctrl_c(tmp_path, raw):
    """Prints where it listens; send reaches it; the inbox has the mail; Ctrl-C ends it quietly."""
    process = start("sandbox", "--port", "0", "--json")
    try:
        text = ""
        while not text.endswith("}\n}\n") and not text.endswith("}\n  }\n}\n"):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            text += line
        where = json.loads(text)
        path = tmp_path / "config.json"
        config = where["connectors"]["aliyun-direct-mail"] | {"templates": raw["templates"]}
        path.write_text(json.dumps({"connector": "aliyun-dm", "config": config}))
        sent = subprocess.run(
            [*AUTHMAIL, "send", str(path), "--to", "zoe@example.com"], capture_output=True, text=True, timeout=60, check=False
        )
        assert sent.returncode == 0, sent.stderr
        with urllib.request.urlopen(where["inbox"] + "/api/messages", timeout=10) as answer:
            assert [mail["code"] for mail in json.load(answer)] == ["000000"]
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_a_taken_port_is_told():
    """With its number, once, and what to do; exit code 1."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = subprocess.run(
            [*AUTHMAIL, "sandbox", "--port", str(port)], capture_output=True, text=True, timeout=60, check=False
        )
    assert result.returncode == 1
    assert result.stderr == (
        f"Error: port {port} of 127.0.0.1 cannot be used: Address already in use; "
        "is another sandbox running? --port 0 takes ports that are free\n"
    )


def test_demo_serves_its_mails():
    """After it has told how it went; the page is where it says, until Ctrl-C."""
    process = start("demo", "--serve")
    try:
        text = ""
        while not (inbox := re.search(r"^Inbox: (http://127\.0\.0\.1:\d+)  Ctrl-C ends", text, re.MULTILINE)):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            text += line
        assert "All 5 mails arrived as composed" in text
        with urllib.request.urlopen(inbox[1], timeout=10) as answer:
            assert answer.headers.get_content_type() == "text/html"
            assert b"<main>" in answer.read()
        with urllib.request.urlopen(inbox[1] + "/api/activity", timeout=10) as answer:
            outcomes = [entry["outcome"] for entry in json.load(answer)["entries"]]
        assert (outcomes.count("accepted"), outcomes.count("refused")) == (5 + len(connector_ids()), 2)
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_open_opens_the_page(tmp_path):
    """In the person's browser: here a script that writes down the address."""
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    environment = os.environ | {"BROWSER": f"{browser} %s"}
    process = start("sandbox", "--port", "0", "--open", "--json", stderr=None, env=environment)
    try:
        inbox = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")["inbox"]
        while not opened.exists():
            assert process.poll() is None
            time.sleep(0.02)
        assert opened.read_text().strip() == inbox
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def test_open_of_the_demo_needs_its_page():
    """It is told, instead of opening nothing."""
    result = CliRunner().invoke(main, ["demo", "--open"])
    assert (result.exit_code, "--open needs --serve" in result.output) == (2, True)
