import asyncio
import ssl

import pytest

from authmail import AccountError, Egress, NotSent, Reason, SendError
from authmail_smtp.config import SMTPConfig

from .conftest import CODE


@pytest.fixture
def pem(authority):
    return authority.cert_pem.bytes().decode()


PRIVATE = Egress(private=True, plain=True)


async def test_starttls_is_used_where_offered(scripted, mailer_to, server_tls, pem):
    """Verified against an authority of the config; EHLO is said again, and the login goes encrypted."""
    async with scripted(tls=server_tls) as server, mailer_to(server.port, host="localhost", tls={"ca": pem}) as mailer:
        await mailer.send(CODE)
    assert [line.split(" ")[0] for line in server.heard] == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]


@pytest.mark.parametrize("change", [{"secure": True, "tls": {}}, {"secure": True, "tls": {"minVersion": "TLSv1.3"}}])
async def test_tls_from_the_first_byte(scripted, mailer_to, server_tls, pem, change):
    """As on port 465."""
    change["tls"]["ca"] = [pem]
    async with scripted(implicit=server_tls) as server, mailer_to(server.port, host="localhost", **change) as mailer:
        await mailer.send(CODE)
        await mailer.send(CODE)
    assert (server.connections, server.heard[0].split(" ")[0]) == (1, "EHLO")


async def test_authorities_of_the_mailer_are_trusted(scripted, raw, smtp, server_tls, authority, tmp_path):
    """As for HTTP."""
    from authmail import Mailer

    from .conftest import TEMPLATES

    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    async with scripted(tls=server_tls) as server:
        config = raw | {"host": "localhost", "port": server.port, "requireTLS": True}
        async with Mailer(smtp, config, templates=TEMPLATES, egress=Egress.ANY, ca_file=str(file)) as mailer:
            await mailer.send(CODE)
    assert "STARTTLS" in server.heard


@pytest.mark.parametrize("options", [{"secure": True}, {}])
@pytest.mark.parametrize(("host", "trusted"), [("localhost", False), ("127.0.0.1", True)])
async def test_a_certificate_that_is_not_in_order(scripted, mailer_to, authority, server_tls, pem, options, host, trusted):
    """Of an unknown authority, or for another name; no login, no mail."""
    context = server_tls
    if trusted:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("other.example").configure_cert(context)
    tls = {"tls": {"ca": pem}} if trusted else {}
    kind = {"implicit": context} if options else {"tls": context}
    async with scripted(**kind) as server, mailer_to(server.port, host=host, **options, **tls) as mailer:
        with pytest.raises(AccountError, match="certificate is not trusted, expired, or not for") as caught:
            await mailer.send(CODE)
    assert caught.value.reason is Reason.ENDPOINT
    assert not [line for line in server.heard if line.startswith(("AUTH", "MAIL"))]


async def test_servername_is_the_name_to_verify(scripted, mailer_to, server_tls, pem):
    """Of the config, or of its tls."""
    for change in ({"servername": "localhost", "tls": {"ca": pem}}, {"tls": {"ca": pem, "servername": "localhost"}}):
        async with scripted(tls=server_tls) as server, mailer_to(server.port, **change) as mailer:
            await mailer.send(CODE)
        assert len(server.mails) == 1


async def test_verification_is_not_a_tenants_to_switch_off(smtp, raw):
    """rejectUnauthorized: false counts only where mail may go without TLS anyway: to loopback, or where the host says so."""
    from authmail_smtp.session.login import LoginHistory
    from authmail_smtp.session.opening import Opening
    from authmail_smtp.session.trust import Trust

    config = smtp.validate_config(raw | {"tls": {"rejectUnauthorized": False}}, templates=[1])

    class Host:
        def tls_context(self):
            return ssl.create_default_context()

    for allowed in (False, True):
        opening = Opening(config, Host(), Trust(config), None, LoginHistory(), 0)
        opening._plain_allowed = allowed
        assert (opening._context().verify_mode is ssl.CERT_NONE) is allowed


async def test_verification_switched_off_where_it_may_be(scripted, mailer_to, server_tls):
    """Loopback with Egress.ANY."""
    async with scripted(tls=server_tls) as server, mailer_to(server.port, tls={"rejectUnauthorized": False}) as mailer:
        await mailer.send(CODE)
    assert "STARTTLS" in server.heard


async def test_a_stripped_starttls_is_refused(scripted, mailer_to):
    """With requireTLS nothing is sent in clear; ignoreTLS does not change that."""
    for change in ({}, {"ignoreTLS": True}):
        async with scripted() as server, mailer_to(server.port, requireTLS=True, **change) as mailer:
            with pytest.raises(AccountError, match="does not offer STARTTLS, which requireTLS asks for") as caught:
                await mailer.send(CODE)
        assert caught.value.reason is Reason.ENDPOINT
        assert [line.split(" ")[0] for line in server.heard] == ["EHLO", "QUIT"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("454 4.7.0 not now", NotSent), ("501 no", AccountError), ("220 go!", SendError), ("220 go\r\n250 injected", NotSent)],
)
async def test_starttls_that_fails_sends_nothing_in_clear(scripted, mailer_to, server_tls, answer, kind):
    """Refused, cut, or with words behind the grant that somebody wants read as if they were encrypted."""
    async with scripted({"STARTTLS": answer}, tls=server_tls) as server, mailer_to(server.port, timeout=2) as mailer:
        with pytest.raises(kind):
            await mailer.send(CODE)
    assert not [line for line in server.heard if line.startswith(("AUTH", "MAIL"))]


async def test_a_plain_port_with_secure(scripted, mailer_to):
    """Is told as what it is."""
    async with scripted() as server, mailer_to(server.port, secure=True) as mailer:
        with pytest.raises(AccountError, match="does not begin with TLS at this port; set secure to false"):
            await mailer.send(CODE)


async def test_a_tls_port_without_secure(scripted, mailer_to, server_tls):
    """The server waits for TLS, the client for a greeting: no answer in time, with a hint."""
    async with scripted(implicit=server_tls) as server, mailer_to(server.port, timeout=2, greetingTimeout=300) as mailer:
        with pytest.raises(NotSent, match="then set secure to true"):
            await mailer.send(CODE)


async def test_ignore_tls(scripted, mailer_to, server_tls):
    """Nothing is negotiated, where mail may go without."""
    async with scripted(tls=server_tls) as server, mailer_to(server.port, ignoreTLS=True) as mailer:
        await mailer.send(CODE)
    assert "STARTTLS" not in server.heard


@pytest.mark.parametrize("auth", [{}, {"user": "u", "pass": "p"}])
async def test_without_tls_nothing_goes_further_than_loopback(scripted, mailer_to, monkeypatch, auth):
    """Neither password nor mail, unless the operator's egress says so; the error names what would allow it."""
    # Loopback is the only network here, so what is loopback is taken away.
    monkeypatch.setattr(Egress, "allows_plain", lambda self, address: self.plain)
    async with scripted() as server, mailer_to(server.port, auth=auth) as mailer:
        with pytest.raises(AccountError, match=r"does not offer TLS; .*Egress\(private=True, plain=True\)") as caught:
            await mailer.send(CODE)
    assert (caught.value.reason, [line.split(" ")[0] for line in server.heard]) == (Reason.ENDPOINT, ["EHLO", "QUIT"])
    async with scripted() as server, mailer_to(server.port, auth=auth, egress=PRIVATE) as mailer:
        await mailer.send(CODE)
    assert len(server.mails) == 1


async def test_egress_applies(scripted, mailer_to):
    """To the address connected to, and to names."""
    async with scripted() as server:
        for egress in (Egress.PUBLIC, Egress(hosts=["smtp.example.com"], private=True)):
            async with mailer_to(server.port, egress=egress) as mailer:
                with pytest.raises(AccountError, match="egress policy") as caught:
                    await mailer.send(CODE)
            assert caught.value.reason is Reason.ENDPOINT
        await asyncio.sleep(0.05)
        assert server.connections == 0


async def test_a_broken_authority_is_told(scripted, mailer_to, server_tls):
    """By the setting's name."""
    async with scripted(tls=server_tls) as server, mailer_to(server.port, tls={"ca": "-----BEGIN CERTIFICATE-----\nx"}) as mailer:
        with pytest.raises(AccountError, match=r"tls\.ca cannot be read") as caught:
            await mailer.send(CODE)
    assert caught.value.reason is Reason.CONFIG


def test_old_versions_are_not_spoken(raw):
    """Whatever minVersion says."""
    from authmail_smtp.session.trust import Trust

    class Host:
        def tls_context(self):
            return ssl.create_default_context()

    from authmail.config.settings import templates_elsewhere

    with templates_elsewhere(True):
        for version, least in (("TLSv1", ssl.TLSVersion.TLSv1_2), ("TLSv1.3", ssl.TLSVersion.TLSv1_3)):
            config = SMTPConfig.from_dict(raw | {"tls": {"minVersion": version}})
            assert Trust(config).context(Host(), verify=True).minimum_version == least
