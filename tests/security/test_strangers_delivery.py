"""A delivery whose config comes out of a database is a stranger's, unless its caller says otherwise."""

import pytest
from attacks import CODE

import authmail
from authmail import AccountError, ConfigError, Egress, References
from authmail.delivery import compose


def raw(port=9, **change):
    return {"senders": {"main": {"connector": "http-email", "config": {"endpoint": f"https://127.0.0.1:{port}/", **change}}}}


async def test_it_does_not_reach_the_network_of_the_host(metadata, tmp_path):
    """The default is Egress.PUBLIC."""
    async with compose(raw(metadata.port), tmp_path) as delivery:
        with pytest.raises(AccountError, match="egress policy refuses"):
            await delivery.send(CODE)
    assert metadata.asked == []


async def test_it_does_not_read_the_server(tmp_path, monkeypatch):
    """References are refused where the caller does not hand in what may be referred to."""
    monkeypatch.setenv("AUTHMAIL_TOKEN", "CANARY")
    secret = raw(authorization={"env": "AUTHMAIL_TOKEN"})
    with pytest.raises(ConfigError, match="references are refused here"):
        compose(secret, tmp_path)
    assert compose(secret, tmp_path, references=References())


@pytest.mark.parametrize("path", ["/etc", "..", "../other", "a/../../x", "link"])
@pytest.mark.parametrize("key", ["templates", "store"])
async def test_its_paths_stay_in_their_folder(tmp_path, key, path):
    """Neither a folder of templates nor a store lies elsewhere, also not by a symbolic link."""
    folder = tmp_path / "tenant"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match=f"{key}: leads out of the folder"):
        compose({**raw(), key: path}, folder)


async def test_the_owners_file_may_do_all_that(metadata, tmp_path, monkeypatch):
    """load() is for the file of whoever runs the server."""
    monkeypatch.setenv("AUTHMAIL_TOKEN", "CANARY")
    file = tmp_path / "authmail.toml"
    endpoint = f"http://127.0.0.1:{metadata.port}/"
    file.write_text(
        f'[senders.main]\nconnector = "http-email"\n[senders.main.config]\nendpoint = "{endpoint}"\nauthorization = {{ env = "AUTHMAIL_TOKEN" }}\n'
    )
    async with authmail.load(file) as delivery:
        await delivery.send(CODE)
    assert metadata.asked == ["POST /"]
    own = raw()
    own["senders"]["main"]["config"]["endpoint"] = endpoint
    async with compose(own, tmp_path, egress=Egress.ANY) as delivery:
        await delivery.send(CODE)
