"""A browser for the page: Debian's Chromium, one for all tests."""

import os
import shutil

import pytest
import pytest_asyncio

CHROMIUM = "chromium"
# Beside Playwright's own, which let it run as root, without a screen, and without asking anything of its maker's servers.
ARGUMENTS = ["--disable-gpu", "--disable-quic"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium():
    """The browser; skipped where there is none, but never in CI."""
    path = shutil.which(CHROMIUM)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI installs Chromium, so that its tests are not skipped")
        pytest.skip("Chromium is not installed: apt-get install chromium")
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        await browser.close()
