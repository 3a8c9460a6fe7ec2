from decimal import Decimal
from pathlib import Path

import pytest

from backtests.profile import DEFAULT_PROFILE, ProfileError, load_profile
from strategies.candidates import Objective
from strategies.stops import StopRule

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
    assert profile.scalper.candidates.max_positions == 5


def test_every_wrong_key_is_named_with_its_value(tmp_path: Path) -> None:
    """One error tells of all: a value out of bounds, a wrong type, a key that is not known."""
    text = (
        "[venues.BINANCE]\nmaker_fee = 0.5\n"
        "[flow]\nscan_seconds = 'often'\nwhale_window = 10\n"
        "[scalper]\ncooldown_secnds = 3\n[scalper.candidates]\nmax_positons = 3\n"
        "[guards.spread]\nmax_bps = 0\n"
    )
    with pytest.raises(ProfileError) as caught:
        load_profile(written(tmp_path, text))
    message = str(caught.value)
    assert str(tmp_path / "profile.toml") in message
    assert "6 keys are wrong" in message
    for part in (
        "venues.BINANCE.maker_fee = 0.5",
        "flow.scan_seconds = 'often'",
        "flow.whale_window = 10",
        "scalper.cooldown_secnds = 3",
        "scalper.candidates.max_positons = 3",
        "guards.spread.max_bps = 0",
    ):
        assert part in message


def test_values_that_do_not_fit_together_are_named(tmp_path: Path) -> None:
    """A rule over two keys names both and their values."""
    with pytest.raises(ProfileError, match="scan_seconds 5 must be a multiple of sample_seconds 2"):
        load_profile(written(tmp_path, FEES + "[flow]\nsample_seconds = 2\n"))
    with pytest.raises(ProfileError, match=r"risk_fraction 0\.2 is above 0.05 of equity"):
        load_profile(written(tmp_path, FEES + "[scalper.candidates]\nrisk_fraction = 0.2\n"))


def test_numbers_of_candidates_are_the_decimals_that_were_written(tmp_path: Path) -> None:
    """Not the doubles next to them, however deep the table is; and stops, targets and guards are taken."""
    text = (
        "[scalper.candidates]\nrisk_fraction = 0.001\ntarget_r = 1.7\nobjective = 'probability'\n"
        "[scalper.candidates.stop]\nrule = 'wider'\nmin_bps = 8.1\n"
        "[scalper.candidates.targets]\nmultiples = [1.1, 2]\n"
        "[guards.daily_drawdown]\nmax_fraction = 0.07\n"
    )
    profile = load_profile(written(tmp_path, FEES + text))
    candidates = profile.scalper.candidates
    assert (candidates.risk_fraction, candidates.target_r) == (Decimal("0.001"), Decimal("1.7"))
    assert (candidates.objective, candidates.stop.rule) == (Objective.PROBABILITY, StopRule.WIDER)
    assert candidates.stop.min_bps == Decimal("8.1")
    assert candidates.targets.multiples == (Decimal("1.1"), Decimal(2))
    assert profile.guards.daily_drawdown.max_fraction == Decimal("0.07")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("maker_fee = 0.0002", "maker_fee and taker_fee go together"),
        ("latency = { median_ms = 1.0, floor_ms = 2.0 }", "floor_ms 2.0 lies above median_ms 1.0"),
        ("leverage = 0", "venues.BINANCE.leverage = 0"),
        ("margin_mode = 'both'", "venues.BINANCE.margin_mode = 'both'"),
    ],
)
def test_a_venue_that_cannot_be_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """Half a fee, a floor above the median, no leverage, a margin mode that there is not."""
    with pytest.raises(ProfileError) as caught:
        load_profile(written(tmp_path, f"[venues.BINANCE]\n{text}\n"))
    assert words in str(caught.value)


def test_a_venue_has_honest_defaults(tmp_path: Path) -> None:
    """Nothing said is no licence to flatter: latency, queue, fees, funding, liquidation and rules are on."""
    profile = load_profile(written(tmp_path, "[venues.BINANCE]\n"))
    assert all(profile.simulation.model_dump().values())
    assert profile.venues["BINANCE"].latency.median_ms > 0
    assert profile.venues["BINANCE"].fee_tier == "VIP0"


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
