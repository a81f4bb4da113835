import base64
import json

import pytest

from authmail import ConnectorMetadata, Settings, setting, settings


@settings
class Config(Settings):
    key: str = setting("Key")


WHOLE = {"id": "acme-mail", "target": "acme", "name": {"en": "Acme", "fr": "Acmé"}, "description": {"en": "Mail."}}


def folder(tmp_path, **change):
    (tmp_path / "metadata.json").write_text(json.dumps(WHOLE | change), "utf-8")
    return tmp_path


def test_loads_a_folder(tmp_path):
    """metadata.json, guides by language, logos as data URIs."""
    (tmp_path / "README.md").write_text("# Guide")
    (tmp_path / "README.fr.md").write_text("# Guide français", "utf-8")
    (tmp_path / "logo.svg").write_text("<svg/>")
    (tmp_path / "logo-dark.png").write_bytes(b"png")
    words = {"key": {"label": {"fr": "Clé"}, "help": {"de": "x"}}}
    metadata = ConnectorMetadata.load(folder(tmp_path, slug="/x", sidebarLabel="X", settings=words), settings=Config)
    assert (metadata.id, metadata.target, metadata.name["fr"], metadata.slug, metadata.sidebar_label) == (
        "acme-mail",
        "acme",
        "Acmé",
        "/x",
        "X",
    )
    assert metadata.readme("fr-CA") == "# Guide français"
    assert metadata.readme("ja") == metadata.readme() == "# Guide"
    assert base64.b64decode(metadata.logo.removeprefix("data:image/svg+xml;base64,")) == b"<svg/>"
    assert metadata.logo_dark.startswith("data:image/png;base64,")
    assert metadata.form_items("fr")[0].label == "Clé"
    assert metadata.form_items("ja")[0].label == "Key"


def test_gives_logtos_factory_object(tmp_path):
    """The keys of Logto's factory JSON, form items included."""
    data = ConnectorMetadata.load(folder(tmp_path), settings=Config).to_dict()
    keys = {
        "id",
        "target",
        "type",
        "platform",
        "name",
        "description",
        "logo",
        "logoDark",
        "readme",
        "configTemplate",
        "formItems",
    }
    assert set(data) == keys
    assert data["formItems"][0]["key"] == "key"
    assert json.loads(data["configTemplate"]) == {"key": "<Key>"}


@pytest.mark.parametrize(
    "change",
    [
        {"id": "Acme Mail"},
        {"id": ""},
        {"target": None},
        {"name": {"fr": "x"}},
        {"name": "x"},
        {"description": {"en": 1}},
        {"name": {"en": "x", "??": "y"}},
    ],
)
def test_refuses_broken_metadata(tmp_path, change):
    """An id that is none, or texts without English, break a connector when it is loaded and not later."""
    with pytest.raises((ValueError, TypeError)):
        ConnectorMetadata.load(folder(tmp_path, **change), settings=Config)


def test_a_missing_file_is_told(tmp_path):
    """The error names metadata.json."""
    with pytest.raises(ValueError, match=r"metadata\.json cannot be used"):
        ConnectorMetadata.load(tmp_path, settings=Config)


@pytest.mark.parametrize("rate", [0, -1, "2", True])
def test_a_rate_is_a_number_of_mails_a_second(rate):
    """A pace is made of it."""
    with pytest.raises(ValueError, match="rate must be a number of mails a second"):
        ConnectorMetadata("acme-mail", "acme", {"en": "Acme"}, {"en": "Acme"}, rate=rate)
    assert ConnectorMetadata("acme-mail", "acme", {"en": "Acme"}, {"en": "Acme"}, rate=0.5).rate == 0.5
