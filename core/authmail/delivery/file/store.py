"""Where a config says that limits and answers are kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from authmail.config.references import References, resolve_references
from authmail.delivery.file.settings import StoreSettings
from authmail.delivery.stores import Store
from authmail.delivery.stores.at import store_at
from authmail.errors import ConfigError, Problem
from authmail.privacy import raise_afresh


def store_of(raw: Mapping[str, Any], folder: Path) -> tuple[Store | None, list[Problem]]:
    """Return the store that a config names, and why it cannot be used.

    Args:
        raw: the config, its references resolved. What is wrong with its form is known from reading the whole.
        folder: where a relative path starts.
    """
    try:
        settings = StoreSettings.from_dict(_of_store(raw))
    except ConfigError:
        return None, []
    try:
        return store_at(settings.store, folder, settings.store_secret), []
    except ConfigError as error:
        return None, list(error.problems)


def _of_store(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {key: raw[key] for key in ("store", "storeSecret") if key in raw}


@raise_afresh
def read_store(raw: Mapping[str, Any], folder: Path, references: References) -> Store:
    """Return the store that its owner's config names, whatever is wrong with the rest.

    Args:
        raw: the content of an ``authmail.toml``.
        folder: where a relative path starts.
        references: what secrets may refer to.

    Raises:
        ConfigError: every problem of the store's settings.
    """
    resolved, problems = resolve_references(_of_store(raw), StoreSettings, references)
    if problems:
        raise ConfigError(problems)
    settings = StoreSettings.from_dict(resolved)
    return store_at(settings.store, folder, settings.store_secret)
