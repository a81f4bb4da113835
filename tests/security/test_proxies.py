"""C5: with a proxy the URL is judged as the proxy will read it, for it is the proxy that connects."""

import pytest
from attacks import ALIYUN, CODE, TEMPLATES

from authmail import AccountError, Egress, Mailer, Reason
from authmail.outcomes import NotConnected

CONFIG = {"accessKeyId": "k", "accessKeySecret": "s3cr3t", "accountName": "a@acme.example"}
INSIDE = [
    "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1",
    "١٢٧.0.0.1", "%31%32%37.0.0.1", "localhost", "LOCALHOST.", "ｌocalhost", "metadata", "metadata.google.internal",
    "Metadata.Google.Internal.", "printer.local", "db.internal", "intranet", "a.home.arpa", "[::1]", "[::ffff:169.254.169.254]", "169.254.169.254",
    "2852039166", "0xa9fea9fe", "010.0.0.1", "1.2.3.4.5", "256.256.256.256", "4294967296", "10.0.5", "99999999999999999999",
]  # fmt: skip
METADATA = [
    "169.254.169.254", "2852039166", "0xa9fea9fe", "0xa9.0xfe.43518", "metadata.google.internal", "metadata", "instance-data",
    "[fd20:ce::254]", "１６９.254.169.254",
]  # fmt: skip


async def refusal(endpoint, egress, proxy):
    async with Mailer(ALIYUN, CONFIG | {"endpoint": endpoint}, templates=TEMPLATES, egress=egress, proxy=proxy.url) as mailer:
        with pytest.raises(AccountError) as caught:
            await mailer.send(CODE)
    return caught.value


@pytest.mark.parametrize("host", INSIDE)
async def test_a_proxy_is_never_sent_inside(proxy, host):
    """However the address or name is spelt, the proxy hears nothing of it."""
    error = await refusal(f"https://{host}/", Egress.PUBLIC, proxy)
    assert error.reason is Reason.ENDPOINT
    assert proxy.asked == []


@pytest.mark.parametrize("host", METADATA)
async def test_not_even_an_operator_sends_it_to_metadata(proxy, host):
    """Egress.ANY allows private addresses, and these never."""
    error = await refusal(f"https://{host}/", Egress.ANY, proxy)
    assert error.reason is Reason.ENDPOINT
    assert proxy.asked == []


@pytest.mark.parametrize("host", ["dm.aliyuncs.com", "münchen.example", "1and1.example", "8.8.8.8", "a1.example"])
async def test_other_places_go_to_the_proxy(proxy, host):
    """Names of the internet, also with digits or letters beyond ASCII."""
    async with Mailer(ALIYUN, CONFIG | {"endpoint": f"https://{host}/"}, templates=TEMPLATES, proxy=proxy.url) as mailer:
        with pytest.raises(NotConnected):
            await mailer.send(CODE)
    assert len(proxy.asked) == 1
    assert proxy.asked[0].startswith("CONNECT ")
