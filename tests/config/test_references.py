import os

import pytest

from authmail import ConfigError, References, get_connector


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "secrets").mkdir()
    return tmp_path / "secrets"


def refusal(aliyun, raw, references):
    with pytest.raises(ConfigError) as caught:
        aliyun.validate_config(raw, references=references)
    return [str(problem) for problem in caught.value.problems]


def test_reads_environment_and_files(aliyun, raw, folder, monkeypatch):
    """The owner of a config may keep its secrets elsewhere; a final line break of a file does not count."""
    monkeypatch.setenv("AUTHMAIL_KEY", "from-env")
    (folder / "token").write_text("from-file\r\n")
    raw |= {"accessKeySecret": {"env": "AUTHMAIL_KEY"}, "securityToken": {"file": str(folder / "token")}}
    config = aliyun.validate_config(raw, references=References(files=(folder,)))
    assert config.access_key_secret.reveal() == "from-env"
    assert config.security_token.reveal() == "from-file"


def test_missing_unreadable_and_forbidden_read_alike(aliyun, raw, folder, tmp_path, monkeypatch):
    """From the answer nobody learns what exists on the server."""
    monkeypatch.setenv("HOME_CANARY", "x")
    monkeypatch.setenv("AUTHMAIL_EMPTY", "")
    (tmp_path / "outside").write_text("secret-canary")
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "big").write_text("x" * (64 * 1024 + 1))
    (folder / "empty").write_text("")
    (folder / "binary").write_bytes(b"\xff\xfe")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    names = [
        "link",
        "big",
        "empty",
        "binary",
        "folder",
        "pipe",
        "missing",
        "../outside",
        "link/../../outside",
        "\x00",
        "x" * 5000,
    ]
    references = [{"file": str(folder / name)} for name in names]
    references += [{"file": "/proc/self/environ"}, {"file": ""}, {"file": 5}, {"file": ["x"]}]
    references += [{"env": name} for name in ("HOME_CANARY", "AUTHMAIL_MISSING", "AUTHMAIL_EMPTY", "", "HOME", 5)]
    references += [{"env": "AUTHMAIL_KEY", "file": "x"}, {}, {"other": "x"}]
    answers = {
        tuple(refusal(aliyun, raw | {"accessKeySecret": reference}, References(files=(folder,)))) for reference in references
    }
    hint = f"is it set? allowed are variables AUTHMAIL_* and files below {folder}"
    assert answers == {(f"accessKeySecret: refers to something that cannot be read ({hint})",)}


def test_an_unread_secret_is_one_problem(raw, monkeypatch):
    """What a connector would say of the secret's form is not said of what stands in for it."""
    monkeypatch.delenv("AUTHMAIL_KEY", raising=False)
    lines = refusal(get_connector("resend-mail"), {"apiKey": {"env": "AUTHMAIL_KEY"}, "from": "a@b.example"}, References())
    assert [line.partition(":")[0] for line in lines] == ["apiKey", *["templates"] * 4]


def test_other_problems_are_still_found_in_order(aliyun, raw):
    """A reference that cannot be read does not hide what else is wrong."""
    raw |= {"accessKeySecret": {"env": "AUTHMAIL_MISSING"}, "accessKeyId": 5, "regionId": "x"}
    assert [line.partition(":")[0] for line in refusal(aliyun, raw, References())] == [
        "accessKeyId",
        "accessKeySecret",
        "regionId",
    ]


def test_a_tenants_config_reads_nothing(aliyun, raw, monkeypatch):
    """Without references= even a well-named variable stays unread."""
    monkeypatch.setenv("AUTHMAIL_KEY", "canary")
    with pytest.raises(ConfigError, match="references are refused here"):
        aliyun.validate_config(raw | {"accessKeySecret": {"env": "AUTHMAIL_KEY"}})


def test_only_secrets_refer(aliyun, raw, monkeypatch):
    """A reference in any other setting is a wrong type, also with references=."""
    monkeypatch.setenv("AUTHMAIL_KEY", "canary")
    lines = refusal(aliyun, raw | {"accountName": {"env": "AUTHMAIL_KEY"}}, References())
    assert lines == ["accountName: must be text, got an object (only secrets may be references)"]


def test_the_owner_is_told_which_and_why(aliyun, raw, folder, tmp_path, monkeypatch):
    """With tell=True, as the command line does."""
    monkeypatch.setenv("AUTHMAIL_EMPTY", "")
    (tmp_path / "outside").write_text("secret-canary")
    (folder / "big").write_text("x" * (64 * 1024 + 1))
    (folder / "empty").write_text("")
    (folder / "binary").write_bytes(b"\xff\xfe")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")

    def told(reference):
        references = References(files=(folder,), tell=True)
        return refusal(aliyun, raw | {"accessKeySecret": reference}, references)[0].removeprefix("accessKeySecret: ")

    assert told({"env": "AUTHMAIL_MISSING"}).startswith("the variable AUTHMAIL_MISSING is not set (set it where")
    assert told({"env": "AUTHMAIL_EMPTY"}) == "the variable AUTHMAIL_EMPTY is empty"
    assert told({"env": "HOME"}) == "the variable HOME is not allowed (allowed are variables AUTHMAIL_*)"
    files = {
        name: told({"file": str(folder / name)}).replace(str(folder), "")
        for name in ("big", "empty", "binary", "folder", "pipe", "x")
    }
    assert files == {
        "big": "the file /big is larger than 64 KiB",
        "empty": "the file /empty is empty",
        "binary": "the file /binary is not UTF-8",
        "folder": "/folder is not a regular file",
        "pipe": "/pipe is not a regular file",
        "x": "there is no file /x",
    }
    assert "is not allowed (allowed are files below" in told({"file": str(tmp_path / "outside")})


def test_blanks_in_a_file_are_told_as_in_a_config(aliyun, raw, folder):
    """One rule, wherever a secret comes from; a final line break of a file does not count."""
    (folder / "token").write_text("secret \n")
    lines = refusal(aliyun, raw | {"accessKeySecret": {"file": str(folder / "token")}}, References(files=(folder,)))
    assert lines == ["accessKeySecret: ends with a blank (remove it; it was copied along)"]
