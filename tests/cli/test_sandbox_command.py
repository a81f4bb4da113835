import json
import signal
import subprocess
import sys
import urllib.request

AUTHMAIL = [sys.executable, "-W", "error", "-c", "from authmail.cli import main; main()"]


def test_serves_until_ctrl_c(tmp_path, raw):
    """Prints where it listens; send reaches it; the inbox has the mail; Ctrl-C ends it quietly."""
    process = subprocess.Popen(
        [*AUTHMAIL, "sandbox", "--port", "0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
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
    """With its number, and exit code 1."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = subprocess.run(
            [*AUTHMAIL, "sandbox", "--port", str(port)], capture_output=True, text=True, timeout=60, check=False
        )
    assert result.returncode == 1
    assert f"port {port} of 127.0.0.1 cannot be used" in result.stderr
