"""Where clients may connect to: TLS anywhere, plain text to this machine only, and no secrets in a setting."""

from typing import Any

import msgspec
import pytest

from adapters.mexc.config import MexcDataClientConfig, MexcExecClientConfig, MexcSpotDataClientConfig

CONFIGS = [MexcDataClientConfig, MexcExecClientConfig, MexcSpotDataClientConfig]


@pytest.mark.parametrize("config", CONFIGS)
def test_defaults_are_the_venues_own_and_tls(config: type[Any]) -> None:
    """https and wss, without any setting."""
    made = config()
    assert made.base_url_http.startswith("https://")
    assert made.base_url_ws.startswith("wss://")


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:9", "[::1]:80"])
def test_plain_text_to_this_machine(config: type[Any], host: str) -> None:
    """The local venue speaks without TLS."""
    made = config(base_url_http=f"http://{host}", base_url_ws=f"ws://{host}/edge")
    assert made.base_url_ws == f"ws://{host}/edge"


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize(
    ("field", "url"),
    [
        ("base_url_http", "http://api.mexc.com"),
        ("base_url_ws", "ws://contract.mexc.com/edge"),
        ("base_url_http", "http://127.0.0.1.example.com"),
        ("base_url_ws", "ws://10.0.0.1/edge"),
        ("base_url_http", "ftp://127.0.0.1"),
        ("base_url_http", "https://"),
        ("base_url_http", "wss://api.mexc.com"),
        ("base_url_ws", "https://contract.mexc.com"),
    ],
)
def test_other_addresses_are_refused(config: type[Any], field: str, url: str) -> None:
    """Plain text to another machine, a wrong scheme, no host."""
    with pytest.raises(ValueError, match=r"127\.0\.0\.1 only|must begin with|is not an address"):
        config(**{field: url})


def test_a_password_in_an_address_is_refused_and_not_shown() -> None:
    """Addresses are logged, so they carry no secret."""
    with pytest.raises(ValueError, match="user or password") as caught:
        MexcDataClientConfig(base_url_http="https://me:secret@api.mexc.com")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("config", CONFIGS)
def test_no_setting_for_secrets_or_against_tls(config: type[Any]) -> None:
    """No field takes a key, a secret, or switches verification off."""
    names = " ".join(field.name for field in msgspec.structs.fields(config)).lower()
    for word in ("key", "secret", "verify", "ssl", "tls", "insecure", "password"):
        assert word not in names


def test_spot_interval() -> None:
    """The venue sends spot trades every 10 or 100 ms."""
    assert MexcSpotDataClientConfig(update_interval_ms=10).update_interval_ms == 10
    with pytest.raises(ValueError, match="offers 10 and 100"):
        MexcSpotDataClientConfig(update_interval_ms=50)
