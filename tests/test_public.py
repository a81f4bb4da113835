"""What hosts and other packages may rely on: every public name, with its parameters. A change here is a change for them.

After a change that is meant, ``python tests/test_public.py`` writes ``public_names.txt`` anew; CHANGELOG.md tells of it.
"""

import inspect
from importlib import import_module
from pathlib import Path

import attrs
import pytest

#: Modules whose ``__all__`` is public (docs/contributing.md); every other module is private.
MODULES = ("authmail", "authmail.sync", "authmail.delivery", "authmail.delivery.sync",
           "authmail.hosts.fastapi_users", "authmail.hosts.flask_security", "authmail.hosts.outbox", "authmail.hosts.supertokens",
           "authmail.outcomes", "authmail.sandbox", "authmail.templates", "authmail.testing")  # fmt: skip
#: Whose classes some of ours derive from; what they inherit is no promise of ours.
FRAMEWORKS = ("fastapi_users", "flask_security", "supertokens_python")
FILE = Path(__file__).parent / "public_names.txt"


def described(name, value):
    """Return a line for a name, and a line for each of its public methods and attributes."""
    yield f"{name}{parameters(value)}"
    if inspect.isclass(value):
        own = {member: inspect.getattr_static(value, member) for member in dir(value) if not member.startswith("_")}
        builtin = {member for base in value.__mro__ if base.__module__ == "builtins" for member in dir(base)}
        builtin |= inherited(value)
        fields = {field.name for field in attrs.fields(value)} if attrs.has(value) else set()
        for member in sorted(set(own) - builtin - fields):
            found = getattr(value, member)
            yield f"{name}.{member}{parameters(found) if callable(found) else ''}"


def inherited(value):
    """Return the members that a class has of a framework alone."""
    bases = {base: base.__module__.partition(".")[0] for base in value.__mro__}
    theirs = {member for base, package in bases.items() if package in FRAMEWORKS for member in vars(base)}
    return theirs - {member for base, package in bases.items() if package == "authmail" for member in vars(base)}


def parameters(value):
    """Return names, kinds and defaults of what is called with; annotations change without harm."""
    if not callable(value):
        return ""
    try:
        signature = inspect.signature(value)
    except (ValueError, TypeError):
        return ""
    kept = [one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()]
    kept = [one.replace(default=...) if one.default is not inspect.Parameter.empty else one for one in kept]
    return str(signature.replace(parameters=kept, return_annotation=inspect.Signature.empty)).replace("=Ellipsis", "=…")


def public_names():
    """Return all lines, module after module."""
    lines = []
    for module in MODULES:
        loaded = import_module(module)
        lines += ["", f"# {module}"]
        for name in sorted(loaded.__all__):
            value = getattr(loaded, name)
            repeated = module != "authmail" and getattr(import_module("authmail"), name, None) is value
            lines += [name] if repeated else described(name, value)
    return "\n".join(lines).strip() + "\n"


def test_the_public_names_are_as_promised():
    """Each with its parameters, methods and attributes."""
    assert public_names() == FILE.read_text("utf-8")


@pytest.mark.parametrize("module", MODULES)
def test_each_name_exists_and_says_what_it_is(module):
    """By a docstring, or that of its type."""
    loaded = import_module(module)
    assert all(getattr(loaded, name).__doc__ for name in loaded.__all__)


if __name__ == "__main__":
    FILE.write_text(public_names(), "utf-8")
