"""audit.py identity as users run it: its verdicts, exit codes and JSON."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from backtests.audit import app
from backtests.bulk import write_features
from catalog.store import Catalog

PART = ("--start", "2023-11-14T23:59:50", "--end", "2023-11-15T00:00:10")
SCANS = 4  # on whole 5 seconds, from 23:59:55 on

type Falsify = Callable[[pa.Table], pa.Table]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["identity", *(str(a) for a in arguments)])


def strict(text: str) -> Any:
    """JSON as its standard has it: without NaN and Infinity."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which temporary files are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def falsified(monkeypatch: pytest.MonkeyPatch) -> Callable[[Falsify], None]:
    """Make the bulk driver's file another one than it wrote."""

    def arrange(falsify: Falsify) -> None:
        def wrong(catalog: Catalog, profile: Any, out: Path, **others: Any) -> None:
            write_features(catalog, profile, out, **others)
            pq.write_table(falsify(pq.read_table(out)), out)

        monkeypatch.setattr("backtests.identity.write_features", wrong)

    return arrange


def with_value(row: int, name: str, change: Callable[[float], float]) -> Falsify:
    """A table of which one value was changed."""

    def falsify(table: pa.Table) -> pa.Table:
        values = table.column(name).to_numpy().copy()
        values[row] = change(values[row])
        return table.set_column(table.column_names.index(name), table.schema.field(name), pa.array(values))

    return falsify


def next_double(value: float) -> float:
    return float(np.nextafter(value, np.inf))


# -- the same ----------------------------------------------------------------------------------------------------------


def test_identical_is_exit_0(midnight: Path, lively: Path, temporary: Path) -> None:
    """The verdict says of how much, and nothing stays behind."""
    result = run("--catalog", midnight, "--profile", lively, *PART)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"identical: {2 * SCANS} snapshots of ")
    assert list(temporary.iterdir()) == []


def test_json_of_identical(midnight: Path, lively: Path) -> None:
    """Standard output is JSON and nothing else; the rows are those that the replay read."""
    result = run("--catalog", midnight, "--profile", lively, "--json")
    assert result.exit_code == 0, result.output
    found = strict(result.stdout)
    counts = {series.kind: 0 for series in Catalog(midnight).ledger.series()}
    for series in Catalog(midnight).ledger.series():
        counts[series.kind] += series.rows
    assert found["rows"] == sum(counts[kind] for kind in ("order_book_deltas", "trade_tick", "mark_price_update"))
    assert found["snapshots"] > 2 * SCANS
    assert found["difference"] is None


# -- not the same ------------------------------------------------------------------------------------------------------


def test_the_last_bit_is_a_difference(
    midnight: Path, lively: Path, temporary: Path, falsified: Callable[[Falsify], None]
) -> None:
    """Exit code 1; where it is, both values and the last events are on standard error, and nothing stays behind."""
    falsified(with_value(5, "bid_depth_far", next_double))
    result = run("--catalog", midnight, "--profile", lively, *PART)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "5 snapshots are identical, then they differ" in result.stderr
    # rows are BTC and ETH of 55, 0, 5, 10
    assert "ETH at 2023-11-15 00:00:05.000000" in result.stderr
    assert "bid_depth_far is " in result.stderr
    assert "last events:" in result.stderr
    assert "ETHUSDT-PERP.BINANCE book" in result.stderr
    assert "BTCUSDT" not in result.stderr
    assert list(temporary.iterdir()) == []


def test_json_of_a_difference(midnight: Path, lively: Path, falsified: Callable[[Falsify], None]) -> None:
    """The same in fields, the time also in words."""
    falsified(with_value(2, "price", next_double))
    result = run("--catalog", midnight, "--profile", lively, "--json", *PART)
    assert result.exit_code == 1
    found = strict(result.stdout)
    difference = found["difference"]
    assert found["snapshots"] == 2
    assert (difference["asset"], difference["feature"]) == ("BTC", "price")
    assert (difference["time"], difference["ts"]) == ("2023-11-15 00:00:00.000000", 1_700_006_400_000_000_000)
    assert difference["bulk"] == next_double(difference["engine"])
    assert 0 < len(difference["events"]) <= 12


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [("price", np.nan, "nan"), ("bid_depth_far", np.inf, "inf"), ("cvd_perp", -np.inf, "-inf")],
)
def test_json_has_words_for_what_is_no_number(
    midnight: Path, lively: Path, falsified: Callable[[Falsify], None], name: str, value: float, word: str
) -> None:
    """NaN and infinity are texts: JSON has no numbers for them, and null is a snapshot that is not there."""
    falsified(with_value(0, name, lambda _: value))
    result = run("--catalog", midnight, "--profile", lively, "--json", *PART)
    assert result.exit_code == 1
    difference = strict(result.stdout)["difference"]
    assert (difference["feature"], difference["bulk"]) == (name, word)
    assert isinstance(difference["engine"], float)


def test_a_snapshot_of_one_alone_is_a_difference(
    midnight: Path, lively: Path, falsified: Callable[[Falsify], None]
) -> None:
    """It is said who has it; in JSON the other's value is null, and so is the feature."""
    falsified(lambda table: pa.concat_tables([table.slice(0, 3), table.slice(4)]))
    words = run("--catalog", midnight, "--profile", lively, *PART)
    assert words.exit_code == 1
    assert "ETH at 2023-11-15 00:00:00.000000" in words.stderr
    assert "the engine has a snapshot and the bulk driver has none" in words.stderr
    difference = strict(run("--catalog", midnight, "--profile", lively, "--json", *PART).stdout)["difference"]
    assert (difference["feature"], difference["bulk"]) == (None, None)
    assert isinstance(difference["engine"], float)


# -- nothing to say ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_json", [False, True], ids=["words", "json"])
def test_a_span_too_short_for_a_snapshot_is_exit_2(midnight: Path, lively: Path, as_json: bool) -> None:
    """Nothing was compared: it is not called identical."""
    span = ("--start", "2023-11-15T00:00:00", "--end", "2023-11-15T00:00:01")
    result = run("--catalog", midnight, "--profile", lively, *span, *(["--json"] if as_json else []))
    assert result.exit_code == 2
    assert "the span has no snapshots to compare" in result.stderr
    assert "identical" not in result.output
    if as_json:
        assert strict(result.stdout)["snapshots"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--catalog", "nowhere"), "nowhere is not a catalog"),
        (("--profile", "nowhere.toml"), "nowhere.toml: cannot be read"),
        (("--end", "yesterday-ish"), "'yesterday-ish' is not a time"),
        (("--start", "2023-11-16", "--end", "2023-11-15"), "--start 2023-11-16 is after --end 2023-11-15"),
        (("--start", "2030-01-01"), "has no data between the given start and end"),
        (("--jobs", "0"), "--jobs"),
    ],
)
def test_bad_input_is_exit_2(
    midnight: Path, lively: Path, temporary: Path, arguments: tuple[str, ...], message: str
) -> None:
    """The error names the value, on standard error alone, and nothing stays behind."""
    given = {"--catalog": str(midnight), "--profile": str(lively)}
    rest = [pair for name, value in given.items() if name not in arguments for pair in (name, value)]
    result = run(*rest, *arguments, "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert list(temporary.iterdir()) == []


def test_the_catalog_must_be_named() -> None:
    """An audit is of one's own data: there is no default."""
    result = run()
    assert result.exit_code == 2
    assert "--catalog" in result.stderr
