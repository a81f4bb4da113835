"""docs/examples/tenants.py: one Mailer per tenant, closed when it is not used any more."""

import asyncio
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from authmail import AccountError, ConfigError, Egress, Message, Template

PATH = Path(__file__).parents[2] / "docs" / "examples" / "tenants.py"
ALIYUN = "aliyun-direct-mail"
TEMPLATES = [Template("SignIn", "{{code}}", "<p>Hello, {{code}}</p>")]


@pytest.fixture(scope="module")
def example():
    specification = importlib.util.spec_from_file_location("tenants_example", PATH)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def rows(sandbox):
    """The host's table: tenant → connector, config, version."""
    return {tenant: (ALIYUN, sandbox.config(ALIYUN), 1) for tenant in ("acme", "globex")}


@pytest.fixture
async def tenants(example, rows):
    async def load(tenant):
        await asyncio.sleep(0)
        return rows[tenant]

    async with example.Tenants(load, TEMPLATES, most=1, egress=Egress.ANY) as opened:
        yield opened


def sign_in(to="zoe@example.com"):
    return Message(to, "SignIn", {"code": "123456"})


def test_the_example_runs(tmp_path):
    """As its first lines say, and tells each tenant's outcome."""
    result = subprocess.run(
        [sys.executable, "-W", "error", str(PATH)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.stderr == ""
    accepted, wrong_secret, refused = result.stdout.splitlines()
    assert accepted == "acme: accepted"
    assert wrong_secret.startswith("globex: account, credentials: ")
    assert refused.startswith("initech: account, endpoint: the egress policy refuses")


async def test_one_mailer_for_many_tasks(tenants):
    """However many mails of one tenant begin at once."""
    await asyncio.gather(*(tenants.send("acme", sign_in()) for _ in range(5)))
    (kept,) = tenants._kept.values()
    assert (kept.uses, repr(kept.mailer)) == (1, "Mailer('aliyun-direct-mail', open)")


async def test_an_evicted_mailer_is_closed_after_its_last_mail(tenants, sandbox):
    """A slow mail of one tenant survives another tenant's taking the place."""
    slow = asyncio.create_task(tenants.send("acme", sign_in("slow@example.com")))
    while not tenants._kept or not tenants._kept["acme"].mailer._transport:  # noqa: ASYNC110 (nothing tells it)
        await asyncio.sleep(0)
    mailer = tenants._kept["acme"].mailer
    await tenants.send("globex", sign_in())
    assert list(tenants._kept) == ["globex"]
    assert "open" in repr(mailer)
    await slow
    assert "closed" in repr(mailer)


async def test_a_new_version_replaces_the_mailer(tenants, rows, sandbox):
    """What an admin saved is used by the next mail."""
    await tenants.send("acme", sign_in())
    rows["acme"] = (ALIYUN, sandbox.config(ALIYUN) | {"fromAlias": "New name"}, 2)
    await tenants.send("acme", sign_in())
    assert [mail.sender.partition(" <")[0] for mail in sandbox.inbox] == ["Sandbox", "New name"]


async def test_a_config_that_cannot_be_used_is_told_and_not_kept(tenants, rows):
    """And the tenant is served as soon as it is mended."""
    good = rows["acme"]
    rows["acme"] = (ALIYUN, {}, 1)
    with pytest.raises(ConfigError):
        await tenants.send("acme", sign_in())
    rows["acme"] = good
    await tenants.send("acme", sign_in())


@pytest.mark.parametrize(
    "endpoint",
    ["http://dm.aliyuncs.com/", "https://127.0.0.1/", "https://localhost:9/", "https://10.0.0.5/", "https://169.254.169.254/"],
)
async def test_a_tenant_cannot_leave_the_public_internet(example, rows, endpoint):
    """The shared session keeps the policy that a Mailer's own session would have."""

    async def load(tenant):
        return ALIYUN, rows[tenant][1] | {"endpoint": endpoint}, 1

    async with example.Tenants(load, TEMPLATES) as tenants:
        with pytest.raises(AccountError) as caught:
            await tenants.send("acme", sign_in())
    assert (caught.value.reason, caught.value.phase) == ("endpoint", "before")
