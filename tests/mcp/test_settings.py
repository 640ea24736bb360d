"""Which names a server answers to is read from the environment, and a mistake is an error."""

import pytest

from martlet.errors import BadInputError
from martlet.mcp.settings import McpSettings, mcp_settings


@pytest.mark.parametrize(
    ("host", "is_served"),
    [
        ("localhost", True),
        ("LOCALHOST:8000", True),
        ("127.0.0.1:1", True),
        ("[::1]:8000", True),
        ("[::1]", True),
        ("marts.example.com", True),
        ("marts.example.com:9999", True),
        ("exact.example.com:81", True),
        ("exact.example.com", False),
        ("exact.example.com:82", False),
        ("xmarts.example.com", False),
        ("marts.example.com.evil.example", False),
        ("marts.example.com@evil.example", False),
        ("marts.example.com:", False),
        ("marts.example.com:80:80", False),
        ("marts.example.com\n", False),
        ("", False),
        ("*", False),
    ],
)
def test_a_name_counts_with_any_port_unless_one_is_named(host: str, is_served: bool) -> None:
    settings = mcp_settings(
        {
            "MARTLET_PUBLIC_URL": "https://Marts.example.com/",
            "MARTLET_ALLOWED_HOSTS": " exact.example.com:81 ,",
        }
    )

    assert settings.public_url == "https://marts.example.com"
    assert settings.serves(host) is is_served


def test_the_address_that_is_listened_on_is_served_but_not_all_of_them() -> None:
    for address, host in (("10.1.2.3", "10.1.2.3:80"), ("fd00::1", "[fd00::1]"), ("Box", "box")):
        assert McpSettings().reached_at(address).serves(host)
        assert not McpSettings().serves(host)
    for address in ("0.0.0.0", "::"):
        assert McpSettings().reached_at(address) == McpSettings()


def test_empty_variables_count_as_unset() -> None:
    assert mcp_settings({"MARTLET_PUBLIC_URL": " ", "MARTLET_ALLOWED_HOSTS": ""}) == McpSettings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MARTLET_PUBLIC_URL", "marts.example.com"),
        ("MARTLET_PUBLIC_URL", "https://marts.example.com/path"),
        ("MARTLET_PUBLIC_URL", "https://user:pass@marts.example.com"),
        ("MARTLET_PUBLIC_URL", "ftp://marts.example.com"),
        ("MARTLET_ALLOWED_HOSTS", "https://marts.example.com"),
        ("MARTLET_ALLOWED_HOSTS", "*"),
        ("MARTLET_ALLOWED_ORIGINS", "agents.example.com"),
        ("MARTLET_ALLOWED_ORIGINS", "https://a.example, *"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_variable(variable: str, value: str) -> None:
    with pytest.raises(BadInputError, match=variable) as refused:
        mcp_settings({variable: value})

    assert "example.com" in str(refused.value)
