"""features.py as users run it: what it writes, prints and refuses."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from backtests.bulk import write_features
from backtests.features import app
from backtests.profile import load_profile
from backtests.snapshot_file import Origin
from catalog.markets import Market, MarketKind
from catalog.store import Catalog
from catalog.tables import BID, Kind
from strategies.features import schema_id
from tests.backtests.conftest import TENTHS, chunk, ticking, write_catalog


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_json_says_what_was_done(midnight: Path, lively: Path, tmp_path: Path) -> None:
    """Standard output is JSON and nothing else; the file is where it was asked, alone."""
    out = tmp_path / "deep" / "features.parquet"
    result = run("--catalog", midnight, "--profile", lively, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    done = json.loads(result.stdout)
    frame = pd.read_parquet(out)
    assert done["rows"] == sum(series.rows for series in Catalog(midnight).ledger.series())
    assert done["snapshots"] == len(frame) > 10
    assert (done["catalog"], done["out"], done["assets"]) == (str(midnight), str(out), "BTC, ETH")
    assert (done["start"], done["end"]) == ("2023-11-14 23:59:30.000000", "2023-11-15 00:00:29.850000")
    assert done["schema_id"] == schema_id(load_profile(lively).flow)
    assert done["catalog_digest"] == Catalog(midnight).digest()
    assert "error" not in result.stderr
    assert [path.name for path in out.parent.iterdir()] == ["features.parquet"]


def test_without_json_it_is_a_table(midnight: Path, lively: Path, tmp_path: Path) -> None:
    """The same figures for people."""
    result = run("--catalog", midnight, "--profile", lively, "--out", tmp_path / "a.parquet")
    assert result.exit_code == 0, result.output
    assert "features in bulk" in result.stdout
    for name in ("BTC, ETH", "rows_per_second", Catalog(midnight).digest()):
        assert name in result.stdout


def test_the_file_is_that_of_the_function(midnight: Path, lively: Path, tmp_path: Path) -> None:
    """Span, assets, days and profile arrive; blanks about commas do not matter."""
    given = ("--start", "2023-11-14T23:59:41", "--end", "2023-11-15T00:00:20", "--assets", " ETH ,BTC", "--days-apart")
    result = run("--catalog", midnight, "--profile", lively, "--out", tmp_path / "a.parquet", *given)
    assert result.exit_code == 0, result.output
    midnight_ns = pd.Timestamp("2023-11-15", tz="UTC").value
    write_features(
        Catalog(midnight), load_profile(lively), tmp_path / "b.parquet",
        start_ns=midnight_ns - 19 * 10**9, end_ns=midnight_ns + 20 * 10**9, assets=("BTC", "ETH"), days_apart=True,
    )  # fmt: skip
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert Origin.read(tmp_path / "a.parquet").days_apart


def test_one_asset(midnight: Path, lively: Path, tmp_path: Path) -> None:
    """The others are neither computed nor named."""
    given = ("--catalog", midnight, "--profile", lively, "--out", tmp_path / "a.parquet")
    result = run(*given, "--assets", "ETH", "--json")
    assert json.loads(result.stdout)["assets"] == "ETH"
    assert set(pd.read_parquet(tmp_path / "a.parquet")["asset"]) == {"ETH"}


def test_an_earlier_file_is_replaced(midnight: Path, lively: Path, tmp_path: Path) -> None:
    """Whatever it was."""
    (tmp_path / "a.parquet").write_text("of an earlier run")
    result = run("--catalog", midnight, "--profile", lively, "--out", tmp_path / "a.parquet")
    assert result.exit_code == 0
    assert len(pd.read_parquet(tmp_path / "a.parquet")) > 10


def test_processes_are_handed_on(midnight: Path, lively: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--jobs is the number of processes, one if it is left out."""
    seen: list[int] = []

    def spy(*arguments: Any, jobs: int, **others: Any) -> Any:
        seen.append(jobs)
        return write_features(*arguments, jobs=1, **others)

    monkeypatch.setattr("backtests.features.write_features", spy)
    given = ("--catalog", midnight, "--profile", lively, "--out", tmp_path / "a.parquet")
    assert [run(*given).exit_code, run(*given, "--jobs", 3).exit_code] == [0, 0]
    assert seen == [1, 3]


@pytest.mark.parametrize("before", [False, True], ids=["nothing before", "a file before"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--catalog", "nowhere"), "nowhere is not a catalog: fill one with catalog/ingest.py"),
        (("--profile", "nowhere.toml"), "nowhere.toml: cannot be read"),
        (("--start", "yesterday-ish"), "'yesterday-ish' is not a time"),
        (("--start", "2023-11-16", "--end", "2023-11-15"), "--start 2023-11-16 is after --end 2023-11-15"),
        (("--start", "2030-01-01"), "has no data between the given start and end"),
        (("--assets", "BTC,XRP"), "has no XRP: choose among BTC, ETH"),
        (("--jobs", "0"), "--jobs"),
    ],
)
def test_bad_input_is_exit_2_and_writes_nothing(
    midnight: Path, lively: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...], message: str, before: bool,
) -> None:  # fmt: skip
    """The error names the value, on standard error alone; an earlier file stays as it was."""
    monkeypatch.chdir(tmp_path)
    if before:
        (tmp_path / "a.parquet").write_text("of an earlier run")
    given = {"--catalog": str(midnight), "--profile": str(lively), "--out": "a.parquet"}
    rest = [pair for name, value in given.items() if name not in arguments for pair in (name, value)]
    result = run(*rest, *arguments, "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == (["a.parquet"] if before else [])
    if before:
        assert (tmp_path / "a.parquet").read_text() == "of an earlier run"


@pytest.mark.parametrize("left_out", ["--catalog", "--out"])
def test_what_must_be_given_is_said(midnight: Path, tmp_path: Path, left_out: str) -> None:
    """There is no catalog and no file that everyone would mean."""
    given = {"--catalog": midnight, "--out": tmp_path / "a.parquet"}
    result = run(*(word for name, value in given.items() if name != left_out for word in (name, value)))
    assert result.exit_code == 2
    assert left_out in result.stderr


def test_a_directory_for_a_file_is_exit_2(midnight: Path, lively: Path, tmp_path: Path) -> None:
    """It is said at once, and nothing lies beside or in it."""
    (tmp_path / "results").mkdir()
    result = run("--catalog", midnight, "--profile", lively, "--out", tmp_path / "results")
    assert result.exit_code == 2
    assert "is a directory: name a file" in result.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["results"]


def test_a_profile_with_wrong_keys_is_exit_2(midnight: Path, tmp_path: Path) -> None:
    """The keys and their values are on standard error."""
    profile = tmp_path / "profile.toml"
    profile.write_text("[venues.BINANCE]\nmaker_fee = 0.0002\ntaker_fee = 7\n")
    result = run("--catalog", midnight, "--profile", profile, "--out", tmp_path / "out" / "a.parquet")
    assert result.exit_code == 2
    assert "venues.BINANCE.taker_fee = 7" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["profile.toml"]


def test_a_damaged_catalog_is_exit_2(lively: Path, tmp_path: Path) -> None:
    """It shows while BTC is done already: one line, and no file."""
    btc, eth = (Market("BINANCE", MarketKind.PERP, f"{base}USDT") for base in ("BTC", "ETH"))
    row = {"action": [77], "side": [BID], "price": ["99.9"], "size": ["1"], "flags": [128], "sequence": [1]}
    series = {btc: ticking(1, 0, 20), eth: [chunk(Kind.BOOK, row, [5_000_000])]}
    write_catalog(tmp_path / "market", series, {eth: replace(TENTHS, base="ETH")})
    result = run("--catalog", tmp_path / "market", "--profile", lively, "--out", tmp_path / "out" / "a.parquet")
    assert result.exit_code == 2
    assert "error: ETHUSDT-PERP.BINANCE: action 77" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_our_own_fault_is_exit_1(midnight: Path, lively: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that no input explains is not passed off as one of the user; still nothing is half-written."""

    def fail(*_: Any) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("backtests.bulk._join", fail)
    result = run("--catalog", midnight, "--profile", lively, "--out", tmp_path / "a.parquet")
    assert result.exit_code == 1
    assert isinstance(result.exception, ZeroDivisionError)
    assert list(tmp_path.iterdir()) == []
