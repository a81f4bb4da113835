"""C6: a session of the host's own is no way around the egress policy."""

import aiohttp
import pytest
from attacks import CODE, HTTP, SMTP

import authmail
from authmail import AccountError, ConfigError, Egress, Mailer, Reason
from authmail.outcomes import NotConnected


def config(port, host="127.0.0.1"):
    return {"endpoint": f"http://{host}:{port}/latest/meta-data"}


@pytest.mark.parametrize("egress", [Egress.PUBLIC, Egress.ANY, Egress(hosts=["mail.example"])])
async def test_a_bare_session_is_refused_when_the_mailer_is_made(metadata, egress):
    """And both ways are named: a session that keeps to the policy, or the host's word for it."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ConfigError, match=r"egress\.session\(\), or give egress=None"):
            Mailer(HTTP, config(metadata.port), session=session, egress=egress)
        connector = authmail.get_connector(HTTP)
        with pytest.raises(ConfigError, match=r"egress\.session\(\), or give egress=None"):
            await connector.check_account(connector.validate_config(config(metadata.port)), session=session, egress=egress)
    assert metadata.asked == []


@pytest.mark.parametrize(("made", "given"), [(Egress.ANY, Egress.PUBLIC), (Egress.PUBLIC, Egress.ANY)])
async def test_a_session_of_another_policy_is_refused(made, given):
    """Whichever of them is the wider one."""
    async with made.session() as session:
        with pytest.raises(ConfigError, match="another egress policy"):
            Mailer(HTTP, config(1), session=session, egress=given)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "localhost.example."])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_guarded_session_reaches_nothing_inside(metadata, host, scheme):
    """The URL is checked as with a session of the Mailer's own, and the address where it is connected to."""
    endpoint = {"endpoint": f"{scheme}://{host}:{metadata.port}/"}
    async with Egress.PUBLIC.session() as session, Mailer(HTTP, endpoint, session=session) as mailer:
        with pytest.raises((AccountError, NotConnected)) as caught:
            await mailer.send(CODE)
        assert caught.value.phase == "before"
    assert metadata.asked == []


async def test_the_socket_of_a_guarded_session_is_guarded(metadata):
    """Also for whatever the host itself does with it: redirects and names that lead inside included."""
    async with Egress.PUBLIC.session() as session:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.get(f"http://localhost:{metadata.port}/")
    assert "egress policy" in str(caught.value.os_error)
    assert metadata.asked == []


async def test_several_mailers_share_a_guarded_session(metadata):
    """It stays open when they close, and is closed by the host."""
    async with Egress.ANY.session() as session:
        for _ in range(2):
            async with Mailer(HTTP, config(metadata.port), session=session, egress=Egress.ANY) as mailer:
                await mailer.send(CODE)
            assert not session.closed
    assert len(metadata.asked) == 2


async def test_a_host_may_vouch_for_its_session(metadata):
    """With egress=None; then it decides for HTTP, while what is no HTTP keeps to Egress.PUBLIC."""
    async with aiohttp.ClientSession() as session:
        async with Mailer(HTTP, config(metadata.port), session=session, egress=None) as mailer:
            await mailer.send(CODE)
        relay = {"host": "127.0.0.1", "port": metadata.port, "auth": {}, "fromEmail": "a@b.co"}
        async with Mailer(SMTP, relay, session=session, egress=None, templates=[]) as mailer:
            with pytest.raises(AccountError) as caught:
                await mailer.send(authmail.Email("zoe@example.com", "s", text="t"))
        assert caught.value.reason is Reason.ENDPOINT
    assert len(metadata.asked) == 1


def test_without_a_session_there_is_nothing_to_vouch_for():
    """egress=None alone does not switch the policy off."""
    with pytest.raises(ConfigError, match="egress: is None"):
        Mailer(HTTP, config(1), egress=None)


@pytest.mark.parametrize("option", ["connector", "trust_env"])
async def test_no_option_leads_around_the_policy(option):
    """Another connector would, and so would proxies of the environment."""
    with pytest.raises(TypeError, match=option):
        Egress.PUBLIC.session(**{option: True})


async def test_a_proxy_belongs_to_the_session(proxy):
    """It is given where the session is made, and URLs are judged as it will read them."""
    async with Egress.PUBLIC.session() as session:
        with pytest.raises(ConfigError, match=r"egress\.session\(proxy="):
            Mailer(HTTP, config(1), session=session, proxy=proxy.url)
    async with Egress.PUBLIC.session(proxy=proxy.url) as session:
        for host, refused in (("2130706433", AccountError), ("mail.example", NotConnected)):
            async with Mailer(HTTP, {"endpoint": f"https://{host}/"}, session=session) as mailer:
                with pytest.raises(refused):
                    await mailer.send(CODE)
    assert [line.split()[:2] for line in proxy.asked] == [["CONNECT", "mail.example:443"]]
