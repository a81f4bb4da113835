import pytest

from authmail import ConfigError
from authmail_aliyun_dm.config import AliyunDMConfig


def problems(raw, **change):
    with pytest.raises(ConfigError) as caught:
        AliyunDMConfig.from_dict(raw | change)
    return [problem.path for problem in caught.value.problems]


def warned(aliyun, raw, **change):
    return {warning.path: f"{warning.message}; {warning.hint}" for warning in aliyun.warnings(raw | change)}


@pytest.mark.parametrize(
    ("region", "host"),
    [
        (None, "dm.aliyuncs.com"), ("cn-hangzhou", "dm.aliyuncs.com"), ("ap-southeast-1", "dm.ap-southeast-1.aliyuncs.com"),
        ("ap-southeast-2", "dm.ap-southeast-2.aliyuncs.com"), ("eu-central-1", "dm.eu-central-1.aliyuncs.com"), ("us-east-1", "dm.us-east-1.aliyuncs.com"),
    ],
)  # fmt: skip
def test_regions_have_their_hosts(raw, region, host):
    """The map of the official SDK."""
    assert AliyunDMConfig.from_dict(raw | {"regionId": region}).url == f"https://{host}/"


@pytest.mark.parametrize(
    "region", ["cn-shanghai", "CN-HANGZHOU", "evil.example/x?", "x@evil.example", "../x", "eu-central-1\n", "", 5]
)
def test_no_region_makes_a_host_of_its_own(raw, region):
    """Only the five names count, so none can lead elsewhere; empty is the default."""
    if region == "":
        assert AliyunDMConfig.from_dict(raw | {"regionId": region}).region_id == "cn-hangzhou"
    else:
        assert problems(raw, regionId=region) == ["regionId"]


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("dm-vpc.cn-hangzhou.aliyuncs.com", "https://dm-vpc.cn-hangzhou.aliyuncs.com/"), ("https://x.y", "https://x.y/"), ("https://x.y/", "https://x.y/"),
        ("http://127.0.0.1:8026", "http://127.0.0.1:8026/"), ("https://x.y:8443/dm", "https://x.y:8443/dm"), ("https://[::1]:80", "https://[::1]:80/"),
    ],
)  # fmt: skip
def test_an_endpoint_replaces_the_region(raw, endpoint, url):
    """A host or a URL."""
    assert AliyunDMConfig.from_dict(raw | {"endpoint": endpoint}).url == url


@pytest.mark.parametrize(
    "endpoint",
    [
        "ftp://x.y",
        "https://user:pw@x.y",
        "https://x.y/?a=b",
        "x.y#z",
        "https://",
        "x y",
        "x.y\r\nHost: z",
        "https://x.y:99999",
        "\\\\x",
    ],
)
def test_an_endpoint_is_a_host(raw, endpoint):
    """No user, query, fragment, blank or other scheme."""
    assert problems(raw, endpoint=endpoint) == ["endpoint"]


@pytest.mark.parametrize("endpoint", ["https://[canary]/", "https://canary\u2100/", "https://[canary"])
def test_an_endpoint_is_not_repeated(raw, endpoint):
    """Where Python's parser quotes what it cannot read, we do not."""
    with pytest.raises(ConfigError) as caught:
        AliyunDMConfig.from_dict(raw | {"endpoint": endpoint})
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"fromAlias": "x" * 16}, "fromAlias"), ({"fromAlias": "a\r\nBcc: x"}, "fromAlias"), ({"replyAddress": "a@b.c, d@e.f"}, "replyAddress"),
        ({"replyAddressAlias": "x" * 16}, "replyAddressAlias"), ({"tagName": "a b"}, "tagName"), ({"tagName": "x" * 129}, "tagName"),
        ({"clickTrace": "0"}, "clickTrace"), ({"signature": "v2"}, "signature"), ({"accessKeyId": "a\nb"}, "accessKeyId"),
    ],
)  # fmt: skip
def test_known_limits_are_refused(raw, change, path):
    """What the provider is known to refuse is refused here, with the field's name."""
    assert problems(raw, **change) == [path]


def test_defaults(raw):
    """Tracking off, V3, a harmless repeat allowed."""
    config = AliyunDMConfig.from_dict(raw)
    assert (config.region_id, config.click_trace, config.signature, config.repeat, config.reply_to_address) == (
        "cn-hangzhou",
        False,
        "v3",
        True,
        False,
    )


def test_a_good_config_has_no_warning(aliyun, raw):
    """Nobody is warned for nothing."""
    assert warned(aliyun, raw, fromAlias="Acme", regionId="eu-central-1", tagName="signin") == {}
    assert warned(aliyun, raw, fromAlias="小红 Shop") == {}


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        ({"fromAlias": "sign_in_tag"}, "fromAlias", "tagName"),
        ({"fromAlias": "tag1"}, "fromAlias", "tagName"),
        ({"fromAlias": "x@mail.y"}, "fromAlias", "accountName"),
        ({"fromAlias": "x" * 15}, "fromAlias", "14"),
        ({"regionId": "ap-southeast-2"}, "regionId", "closed"),
        ({"accountName": "nope"}, "accountName", "mail address"),
        ({"clickTrace": True, "tagName": "t"}, "clickTrace", "links"),
        ({"clickTrace": True}, "tagName", "needed for click tracking"),
        ({"replyAddressAlias": "x"}, "replyAddressAlias", "no effect"),
        ({"replyAddress": "a@b.c", "replyToAddress": True}, "replyAddress", "competes"),
        ({"fromAllias": "x"}, "fromAllias", "did you mean fromAlias?"),
    ],
)
def test_doubtful_values_warn(aliyun, raw, change, path, says):
    """With what belongs where."""
    assert says in warned(aliyun, raw, **change)[path]


def test_templates_are_looked_at(aliyun, raw):
    """An address in sendFrom has no effect, long subjects and empty contents may be refused."""
    raw["templates"][0] |= {"sendFrom": "Acme <other@example.com>"}
    raw["templates"][1] |= {"subject": "x" * 101}
    raw["templates"][2] |= {"content": " "}
    assert set(warned(aliyun, raw)) == {"templates[0].sendFrom", "templates[1].subject", "templates[2]"}
