"""What inspect says of a catalog is what the ingests said of their files."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from catalog.anomalies import OnGap
from catalog.formats.binance_capture import BinanceCapture
from catalog.inspect import app, inspect_catalog
from catalog.instruments import Definition
from catalog.pipeline import ingest
from catalog.store import Catalog
from tests.catalog.hand_made import (
    MS,
    PERP,
    SPOT,
    T0_MS,
    contents,
    diff_line,
    snapshot_line,
    sound_capture,
    trade_line,
    trades,
    write_gz,
)

START = T0_MS * MS


def inspect(directory: Path) -> dict[str, Any]:
    result = CliRunner().invoke(app, [str(directory), "--json"])
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """Two captures a second apart: a sound one, then one with a gap, a jump of trade ids and a frame of klines."""
    root = tmp_path / "catalog"
    second = [
        snapshot_line(1000, 50, [("100", "1")], [("101", "1")]),
        diff_line(1001, (60, 61, 62), bids=[("99.5", "2")]),
        snapshot_line(1002, 70, [("100", "1")], [("101", "1")]),
        trade_line(1003, 3, "100.5", "0.004"),
        trade_line(1004, 6, "100.5", "0.004"),
    ]
    second.append(second[-1].replace("btcusdt@trade", "btcusdt@kline_1m"))
    files = [write_gz(tmp_path / "a.gz", sound_capture()), write_gz(tmp_path / "b.gz", second)]
    reader = BinanceCapture("usdm", "BTCUSDT")
    ingest(root, "binance-capture", reader, files[:1])
    ingest(root, "binance-capture", reader, files[1:], on_gap=OnGap.RESYNC)
    return root


def test_instruments_and_series(catalog: Path) -> None:
    """Tick, step and source of the definition; rows, spans and the time between two files of each type."""
    report = inspect(catalog)
    (instrument,) = report["instruments"]
    types = {series.pop("type"): series for series in instrument.pop("types")}
    assert instrument == {
        "instrument_id": PERP.instrument_id,
        "tick": "0.5",
        "step": "0.002",
        "multiplier": "1",
        "definition": "inferred",
    }
    slots = Catalog(catalog).ledger.slots
    book = slots[f"{PERP.instrument_id}|order_book_deltas"]
    taken = slots[f"{PERP.instrument_id}|trade_tick"]
    mark = slots[f"{PERP.instrument_id}|mark_price_update"]
    assert types.keys() == {"order_book_deltas", "trade_tick", "mark_price_update", "funding_rate_update"}
    assert types["order_book_deltas"] == {
        "rows": 5 + 7,  # CLEAR and levels of a snapshot, a diff; then a snapshot, the gap's CLEAR, a snapshot
        "files": 2,
        "first_ns": START + book,
        "last_ns": START + 1002 * MS + book,
        "between_files": [{"from_ns": START + MS + book, "to_ns": START + 1000 * MS + book}],
    }
    assert types["trade_tick"] == {
        "rows": 4,
        "files": 2,
        "first_ns": START + 2 * MS + taken,
        "last_ns": START + 1004 * MS + taken,
        "between_files": [{"from_ns": START + 3 * MS + taken, "to_ns": START + 1003 * MS + taken}],
    }
    time = START + 4 * MS + mark
    assert types["mark_price_update"] == {
        "rows": 1,
        "files": 1,
        "first_ns": time,
        "last_ns": time,
        "between_files": [],
    }
    assert report["rows"] == 12 + 4 + 1 + 1
    assert report["catalog"] == str(catalog)


def test_gaps_and_anomalies_are_those_of_the_ingests(catalog: Path) -> None:
    """Gaps apart from what was only told, each with file, line and time, and all kinds counted."""
    first, second = inspect(catalog)["ingests"]
    assert (first["files"], first["counts"], first["gaps"], first["anomalies"]) == (["a.gz"], {}, [], [])
    assert first["options"]["on_gap"] == "refuse"
    assert second["options"]["on_gap"] == "resync"
    assert (second["format"], second["definition"]) == ("binance-capture", "inferred")
    assert second["counts"] == {"gap": 1, "id_jump": 1, "skipped": 2}
    (gap,) = second["gaps"]
    assert (gap["kind"], gap["file"], gap["line"], gap["ts"]) == ("gap", "b.gz", 2, START + 1001 * MS)
    told = {(a["kind"], a["line"], a["message"]) for a in second["anomalies"]}
    assert told == {
        ("id_jump", 5, "2 trade ids are missing between 3 and 6"),
        ("skipped", None, "1 frames of kline_1m"),
        ("skipped", None, "1 diffs older than the snapshot"),
    }
    ledger = Catalog(catalog).ledger
    assert [[*i["gaps"], *i["anomalies"]] for i in (first, second)] == [i.anomalies for i in ledger.ingests]


def test_the_tables_say_the_same(catalog: Path) -> None:
    """Without --json: a row a series, and the findings below."""
    result = CliRunner().invoke(app, [str(catalog)], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.replace("│", " ").splitlines()]
    assert ["BTCUSDT-PERP.BINANCE", "0.5", "0.002", "inferred"] in [row[:4] for row in rows]
    assert ["trade_tick", "4", "2024-07-18", "23:57:01.002000", "2024-07-18", "23:57:02.004000"] in rows
    assert "b.gz: 1 gap, 1 id_jump, 2 skipped" in result.stdout
    assert "b.gz:5: id_jump: 2 trade ids are missing between 3 and 6" in result.stdout
    assert "a.gz:" not in result.stdout  # it had no findings


def test_looking_changes_nothing(catalog: Path) -> None:
    """Not a byte, with and without --json."""
    before = contents(catalog)
    inspect(catalog)
    CliRunner().invoke(app, [str(catalog)])
    assert contents(catalog) == before


def test_large_and_small_ticks_are_plain_numbers(tmp_path: Path) -> None:
    """10 and 0.00000001, not 1E+1 and 1E-8; spot and perps beside each other, by instrument id."""
    entry = {"format": "hand", "options": {}, "files": [], "counts": {}, "anomalies": [], "unseeded_books": []}
    steps = {PERP: (Decimal(10), Decimal("0.00000001")), SPOT: (Decimal("0.00000001"), Decimal(1000))}
    with Catalog(tmp_path).transaction() as transaction:
        for market in steps:
            transaction.append(market, trades([1000]))
        definitions = {market: Definition("BTC", "USDT", *pair) for market, pair in steps.items()}
        transaction.commit(definitions, {**entry, "definition": "metadata"})
    found = [(i["instrument_id"], i["tick"], i["step"]) for i in inspect(tmp_path)["instruments"]]
    assert found == [
        ("BTCUSDT-PERP.BINANCE", "10", "0.00000001"),
        ("BTCUSDT.BINANCE_SPOT", "0.00000001", "1000"),
    ]


@pytest.mark.parametrize("made", [False, True])
def test_a_directory_that_is_no_catalog(tmp_path: Path, made: bool) -> None:
    """Exit code 2, the directory and how to fill it; it is neither made nor changed."""
    directory = tmp_path / "empty"
    if made:
        directory.mkdir()
    before = contents(tmp_path)
    result = CliRunner().invoke(app, [str(directory), "--json"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert f"error: {directory} is not a catalog (it has no data folder): fill one with" in result.stderr
    assert contents(tmp_path) == before


def test_a_damaged_ledger_is_an_error(catalog: Path) -> None:
    """Not an empty catalog."""
    (catalog / "ledger.json").write_text("{")
    result = CliRunner().invoke(app, [str(catalog)])
    assert result.exit_code == 2
    assert "ledger.json: damaged" in result.stderr


def test_the_report_is_plain_data(catalog: Path) -> None:
    """The function gives what --json prints."""
    assert inspect_catalog(catalog) == inspect(catalog)
