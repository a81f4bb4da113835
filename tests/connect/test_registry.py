import subprocess
import sys
import textwrap

import pytest

import authmail
from authmail import ConnectorNotFound, Egress, Mailer, Message

WORKING = """
    from importlib.resources import files
    from authmail import AccountError, ConnectorMetadata, Receipt, Secret, Settings, Template, hookimpl, setting, settings

    @settings
    class AcmeConfig(Settings):
        api_key: Secret = setting("API key", help="Console > Keys")
        endpoint: str = setting("Endpoint")
        templates: tuple[Template, ...] = setting("Templates", default=())

    @hookimpl
    def get_metadata():
        return ConnectorMetadata.load(files(__name__), settings=AcmeConfig)

    @hookimpl
    def validate_config(config):
        return AcmeConfig.from_dict(config)

    @hookimpl
    async def send_message(email, config, http):
        reply = await http.post(config.endpoint, json={"to": email.to.address, "html": email.html}, headers={"X-Key": config.api_key.reveal()})
        if reply.status == 202:
            return Receipt(message_id=reply.json()["id"])
        raise reply.failure()
"""
METADATA = '{"id": "%s", "target": "%s", "name": {"en": "Acme"}, "description": {"en": "Mail."}}'


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Distributions of others, really installed by pip into a folder: one that works and several that do not."""
    root = tmp_path_factory.mktemp("others")
    site = root / "site"

    def distribution(name, entry_points, code=WORKING, metadata=None):
        package = name.replace("-", "_")
        folder = root / name
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text(textwrap.dedent(code), "utf-8")
        identity = metadata or next(iter(entry_points))
        (folder / package / "metadata.json").write_text(METADATA % (identity, identity.removesuffix("-mail")))
        points = "\n".join(f'{point} = "{value or package}"' for point, value in entry_points.items())
        (folder / "pyproject.toml").write_text(
            f'[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
            f'[project]\nname = "{name}"\nversion = "1.2.3"\n[project.entry-points."authmail.connectors"]\n{points}\n'
        )
        return str(folder)

    wrong_argument = WORKING.replace("send_message(email, config, http)", "send_message(email, config, htpp)")
    folders = [
        distribution("acme-mail", {"acme-mail": None}),
        distribution("broken-import", {"broken-import": None}, "import a_library_that_is_not_there"),
        distribution("broken-exit", {"broken-exit": None}, "raise SystemExit('no licence')"),
        distribution("without-hooks", {"without-hooks": None}, "x = 1"),
        distribution("without-marker", {"without-marker": None}, WORKING.replace("@hookimpl\n    async", "async")),
        distribution("wrong-argument", {"wrong-argument": None}, wrong_argument),
        distribution("other-id", {"other-id": None}, metadata="another-id"),
        distribution("copycat", {"aliyun-direct-mail": None}, metadata="aliyun-direct-mail"),
        distribution("twin-one", {"twin-mail": None}, metadata="twin-mail"),
        distribution("twin-two", {"twin-mail": None}, metadata="twin-mail"),
        distribution(
            "same-target", {"acme-two": None}, WORKING.replace("files(__name__), settings", "files(__name__), settings")
        ),
    ]
    (root / "same-target" / "same_target" / "metadata.json").write_text(METADATA % ("acme-two", "acme"))
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", str(site), *folders]
    subprocess.run(command, check=True, timeout=300, capture_output=True)
    return str(site)


@pytest.fixture
def others(site, monkeypatch):
    """As if those distributions were installed beside authmail."""
    monkeypatch.syspath_prepend(site)


def test_ids_come_without_an_import(others):
    """Listing loads nothing, so broken connectors are listed too."""
    assert authmail.connector_ids() == [
        "acme-mail", "acme-two", "aliyun-direct-mail", "aws-ses-mail", "brevo-mail", "broken-exit", "broken-import", "http-email", "infobip-mail",
        "mailersend-mail", "mailgun-email", "mailjet-mail", "mailjunky-email-service", "mandrill-mail", "other-id", "postmark-mail", "resend-mail", "scaleway-tem-mail",
        "sendgrid-email-service", "simple-mail-transfer-protocol", "smtp2go-email-service", "sparkpost-mail", "twin-mail",
        "without-hooks", "without-marker", "wrong-argument",
    ]  # fmt: skip


def test_working_ones_work_and_broken_ones_say_why(others):
    """One that cannot be imported, exits, lacks hooks, misfits or lies about its id stops none of the others."""
    found = authmail.connectors()
    assert [(connector.id, connector.distribution) for connector in found] == [
        ("acme-mail", "acme-mail"), ("acme-two", "same-target"), ("aliyun-direct-mail", "authmail"), ("aws-ses-mail", "authmail"), ("brevo-mail", "authmail"),
        ("http-email", "authmail"), ("infobip-mail", "authmail"), ("mailersend-mail", "authmail"), ("mailgun-email", "authmail"), ("mailjet-mail", "authmail"),
        ("mailjunky-email-service", "authmail"), ("mandrill-mail", "authmail"), ("postmark-mail", "authmail"), ("resend-mail", "authmail"), ("scaleway-tem-mail", "authmail"), ("sendgrid-email-service", "authmail"),
        ("simple-mail-transfer-protocol", "authmail"), ("smtp2go-email-service", "authmail"), ("sparkpost-mail", "authmail"),
    ]  # fmt: skip
    reasons = {(broken.distribution, broken.version): broken.reason for broken in found.broken}
    expected = {
        "broken-import": "ModuleNotFoundError: No module named 'a_library_that_is_not_there'",
        "broken-exit": "SystemExit: no licence",
        "without-hooks": "it lacks the hook get_metadata and validate_config and send_message; is @hookimpl forgotten?",
        "without-marker": "it lacks the hook send_message; is @hookimpl forgotten?",
        "other-id": "its metadata has the id another-id, its entry point other-id",
        "copycat": "the name aliyun-direct-mail belongs to authmail's own connector",
        "twin-one": "another connector has the same id (twin-two); choose with distribution=",
        "twin-two": "another connector has the same id (twin-one); choose with distribution=",
    }
    assert {name: reasons[name, "1.2.3"] for name in expected} == expected
    assert "htpp" in reasons["wrong-argument", "1.2.3"]
    assert "broken-exit = broken_exit (broken-exit 1.2.3): SystemExit: no licence" in [str(broken) for broken in found.broken]


def test_allow_and_deny_come_before_the_import(others):
    """A connector that is not wanted is not even imported."""
    sys.modules.pop("broken_exit", None)
    assert [connector.id for connector in authmail.connectors(allow=["acme-mail"])] == ["acme-mail"]
    found = authmail.connectors(deny=["aliyun-direct-mail", "aws-ses-mail", "broken-exit"])
    assert "aliyun-direct-mail" not in [connector.id for connector in found]
    assert "broken-exit" not in " ".join(map(str, found.broken))


def test_one_is_found_by_id_or_target(others):
    """An id loads that one; a target looks through the rest."""
    assert authmail.get_connector("acme-mail").id == "acme-mail"
    assert authmail.get_connector("aliyun-dm").id == "aliyun-direct-mail"
    with pytest.raises(ConnectorNotFound, match="several connectors have the target acme: acme-mail, acme-two"):
        authmail.get_connector("acme")


def test_a_broken_one_raises_with_its_reason(others):
    """Asking for it by name tells what is wrong."""
    with pytest.raises(ConnectorNotFound, match=r"broken-import is broken: .*a_library_that_is_not_there"):
        authmail.get_connector("broken-import")


def test_an_unknown_one_names_what_is_installed(others):
    """With a near match, if there is one."""
    with pytest.raises(ConnectorNotFound, match="installed: acme-mail, .*did you mean acme-mail"):
        authmail.get_connector("acme-mial")


def test_a_distribution_may_be_chosen(others):
    """Of two with one id, one is taken by its distribution's name; but an id of authmail's own is nobody else's."""
    assert authmail.get_connector("aliyun-direct-mail").distribution == "authmail"
    with pytest.raises(ConnectorNotFound, match="belongs to authmail's own connector"):
        authmail.get_connector("aliyun-direct-mail", distribution="copycat")
    assert authmail.get_connector("twin-mail", distribution="twin-two").distribution == "twin-two"
    with pytest.raises(ConnectorNotFound, match="twin-one, twin-two; choose with distribution="):
        authmail.get_connector("twin-mail")
    with pytest.raises(ConnectorNotFound, match="in nowhere"):
        authmail.get_connector("acme-mail", distribution="nowhere")


async def test_a_connector_of_others_is_used_like_our_own(others):
    """Validated, with form items, and sending over real HTTP, without any change here."""
    from aiohttp import web

    received = []

    async def accept(request):
        received.append((request.headers["X-Key"], await request.json()))
        return web.json_response({"id": "m-1"} if len(received) == 1 else {}, status=202)

    application = web.Application()
    application.router.add_post("/", accept)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    connector = authmail.get_connector("acme-mail")
    assert [item.key for item in connector.form_items] == ["apiKey", "endpoint", "templates"]
    template = {"usageType": "Generic", "subject": "s", "content": "<b>{{code}}</b>"}
    raw = {"apiKey": "canary", "endpoint": f"http://127.0.0.1:{runner.addresses[0][1]}/", "templates": [template]}
    async with Mailer(connector, raw, egress=Egress.ANY) as mailer:
        receipt = await mailer.send(Message("zoe@example.com", "SignIn", {"code": "123456"}))
        assert (receipt.message_id, receipt.connector) == ("m-1", "acme-mail")
        with pytest.raises(authmail.OutcomeUnknown, match="KeyError"):
            await mailer.send(Message("zoe@example.com", "SignIn", {"code": "123456"}))
    assert received[0] == ("canary", {"to": "zoe@example.com", "html": "<b>123456</b>"})
    await runner.cleanup()


def test_import_of_authmail_loads_no_http(tmp_path):
    """`import authmail`, listing and validating need no aiohttp."""
    code = "import authmail, sys; authmail.connector_ids(); authmail.get_connector('aliyun-dm').form_items; print('aiohttp' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stdout == "False\n"
