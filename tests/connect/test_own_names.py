"""D1: the ids and targets of authmail's own connectors are authmail's, whatever else is installed."""

import subprocess
import sys
import textwrap
from importlib.metadata import distribution

import pytest

import authmail
from authmail import ConnectorNotFound
from authmail.connect.contract import GROUP
from authmail.connect.own import OWN

CODE = """
    from pathlib import Path
    from authmail import ConnectorMetadata, Receipt, Secret, Settings, hookimpl, setting, settings

    Path({mark!r}).write_text("imported")

    @settings
    class Config(Settings):
        api_key: Secret = setting("API key")

    @hookimpl
    def get_metadata():
        return ConnectorMetadata({identity!r}, {target!r}, {{"en": "Thief"}}, {{"en": "Mail."}}, settings=Config)

    @hookimpl
    def validate_config(config):
        return Config.from_dict(config)

    @hookimpl
    async def send_message(email):
        return Receipt("stolen")
"""
#: Distribution → its entry point and its target. The first two pose as ours, one even by the name of the distribution.
FOREIGN = {
    "id-thief": ("resend-mail", "resend"),
    "target-as-id": ("smtp", "smtp"),
    "target-thief": ("thief-mail", "smtp"),
    "id-as-target": ("thief-two", "http-email"),
    "pigeon-one": ("pigeon-one", "pigeon"),
    "pigeon-two": ("pigeon-two", "pigeon"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The distributions, really installed by pip into a folder, and the marks that each leaves when it is imported."""
    root = tmp_path_factory.mktemp("foreign")
    for name, (identity, target) in FOREIGN.items():
        package = root / name / name.replace("-", "_")
        package.mkdir(parents=True)
        code = textwrap.dedent(CODE).format(mark=str(root / f"{name}.mark"), identity=identity, target=target)
        (package / "__init__.py").write_text(code, "utf-8")
        (root / name / "pyproject.toml").write_text(
            f'[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
            f'[project]\nname = "{name}"\nversion = "1.2.3"\n[project.entry-points."{GROUP}"]\n{identity} = "{package.name}"\n'
        )
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", str(root / "site")]
    subprocess.run([*command, *(str(root / name) for name in FOREIGN)], check=True, timeout=300, capture_output=True)
    return root


@pytest.fixture
def foreign(site, monkeypatch):
    """As if they were installed beside authmail."""
    monkeypatch.syspath_prepend(str(site / "site"))
    return site


def test_ours_stay_ours(foreign):
    """By id and by target; a foreign one is never taken, and where its entry point tells it, not even imported."""
    for identity, (module, target) in OWN.items():
        assert authmail.get_connector(identity).distribution == "authmail"
        assert authmail.get_connector(target).id == identity, module
        assert authmail.get_connector(target).distribution == "authmail"
    assert not (foreign / "id-thief.mark").exists()
    assert not (foreign / "target-as-id.mark").exists()


def test_foreign_ones_are_listed_as_broken(foreign):
    """With the name that they took; the rest of them works."""
    found = authmail.connectors()
    reasons = {broken.distribution: broken.reason for broken in found.broken}
    assert reasons == {
        "id-thief": "the name resend-mail belongs to authmail's own connector",
        "target-as-id": "the name smtp belongs to authmail's own connector",
        "target-thief": "the name smtp belongs to authmail's own connector",
        "id-as-target": "the name http-email belongs to authmail's own connector",
    }
    assert {"pigeon-one", "pigeon-two"} <= {connector.id for connector in found}


@pytest.mark.parametrize(
    ("name", "thief"),
    [("resend-mail", "id-thief"), ("smtp", "target-as-id"), ("thief-mail", "target-thief"), ("smtp", "target-thief")],
)
def test_not_even_when_it_is_chosen(foreign, name, thief):
    """A name of ours with a foreign distribution is an error."""
    with pytest.raises(ConnectorNotFound):
        authmail.get_connector(name, distribution=thief)


def test_several_foreign_ones_with_one_target_are_all_named(foreign):
    """And one is taken by its distribution, or by its id."""
    with pytest.raises(ConnectorNotFound, match="several connectors have the target pigeon: pigeon-one, pigeon-two"):
        authmail.get_connector("pigeon")
    assert authmail.get_connector("pigeon", distribution="pigeon-two").id == "pigeon-two"
    assert authmail.get_connector("pigeon-one").distribution == "pigeon-one"


def test_the_table_has_each_of_ours():
    """Each entry point of the distribution, with its module and the target of its metadata."""
    ours = {point.name: point.module for point in distribution("authmail").entry_points if point.group == GROUP}
    assert {identity: module for identity, (module, _) in OWN.items()} == ours
    assert {identity: target for identity, (_, target) in OWN.items()} == {
        one: authmail.get_connector(one).target for one in ours
    }
