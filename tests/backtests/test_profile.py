from decimal import Decimal
from pathlib import Path

import pytest

from backtests.profile import DEFAULT_PROFILE, ProfileError, load_profile

FEES = "[venues.BINANCE]\nmaker_fee = 0.0002\ntaker_fee = 0.0005\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "profile.toml"
    path.write_text(text)
    return path


def test_the_default_profile_loads() -> None:
    """It has fees of every venue on which an asset may be traded."""
    profile = load_profile()
    assert DEFAULT_PROFILE.is_file()
    assert set(profile.venues) == set(profile.replay.lead_venues) == {"BINANCE", "BYBIT", "MEXC"}


def test_all_but_the_fees_may_be_left_out(tmp_path: Path) -> None:
    """Numbers of TOML become the decimals that were written."""
    profile = load_profile(written(tmp_path, FEES))
    assert profile.venues["BINANCE"].taker_fee == Decimal("0.0005")
    assert profile.venues["BINANCE"].starting_balance == 100_000
    assert profile.scalper.max_positions == 5


def test_every_wrong_key_is_named_with_its_value(tmp_path: Path) -> None:
    """One error tells of all: a value out of bounds, a wrong type, a key that is not known, one that is missing."""
    text = (
        "[venues.BINANCE]\nmaker_fee = 0.5\n"
        "[flow]\nscan_seconds = 'often'\nwhale_window = 10\n"
        "[scalper]\nmax_positons = 3\nrisk_fraction = 0.2\n"
    )
    with pytest.raises(ProfileError) as caught:
        load_profile(written(tmp_path, text))
    message = str(caught.value)
    assert str(tmp_path / "profile.toml") in message
    assert "6 keys are wrong" in message
    for part in (
        "venues.BINANCE.maker_fee = 0.5",
        "venues.BINANCE.taker_fee",
        "flow.scan_seconds = 'often'",
        "flow.whale_window = 10",
        "scalper.max_positons = 3",
        "scalper.risk_fraction = 0.2",
    ):
        assert part in message


def test_values_that_do_not_fit_together_are_named(tmp_path: Path) -> None:
    """A rule over two keys names both and their values."""
    with pytest.raises(ProfileError, match="scan_seconds 5 must be a multiple of sample_seconds 2"):
        load_profile(written(tmp_path, FEES + "[flow]\nsample_seconds = 2\n"))


def test_a_profile_without_venues_is_an_error(tmp_path: Path) -> None:
    """Without fees a replay would flatter."""
    with pytest.raises(ProfileError, match="venues"):
        load_profile(written(tmp_path, "[replay]\nseed = 1\n"))


def test_a_file_that_is_not_toml(tmp_path: Path) -> None:
    """The error says where in the file."""
    with pytest.raises(ProfileError, match=r"is not TOML: .*line 1"):
        load_profile(written(tmp_path, "seed == 7"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The error names the file; so does that of one that is not text."""
    with pytest.raises(ProfileError, match=r"nowhere.toml: cannot be read"):
        load_profile(tmp_path / "nowhere.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProfileError, match=r"binary.toml: cannot be read"):
        load_profile(tmp_path / "binary.toml")
