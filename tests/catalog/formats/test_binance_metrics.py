"""Binance's dumps of open interest."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog.anomalies import AnomalyLog, Kind
from catalog.formats.binance_metrics import BinanceMetrics

HEADER = "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio\n"
NOON = 1_730_116_800_000_000_000  # 2024-10-28 12:00:00 UTC


def read(symbol: str, folder: Path, text: str) -> tuple[list[dict[str, Any]], list[tuple[Kind, int | None]]]:
    path = folder / "metrics.csv"
    path.write_text(text)
    log = AnomalyLog()
    reader = BinanceMetrics(symbol, clock_offset_ns=3)
    rows = [row for chunk in reader.read([path], log, lambda *_: None) for row in chunk.table.to_pylist()]
    return rows, [(a.kind, a.line) for a in (*log.refused, *log.tolerated)]


def test_open_interest_at_its_time(tmp_path: Path) -> None:
    """Times are UTC text, values exact; ratios that are not there do not matter."""
    text = "2024-10-28 12:00:00,BTCUSDT,81234.5670000000000000,5.5e9,\n"
    rows, found = read("BTCUSDT", tmp_path, HEADER + text)
    assert not found
    assert rows == [{"value": Decimal("81234.567"), "ts_event": NOON, "ts_init": NOON + 3, "line": 2}]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("2024-10-28 12:00:00,BTCUSDT,1,1,1", Kind.DUPLICATE),
        ("2024-10-28 11:55:00,BTCUSDT,1,1,1", Kind.TIME_BACKWARDS),
        ("2024-10-28 12:05:00,ETHUSDT,1,1,1", Kind.WRONG_SYMBOL),
        ("2024-10-28 12:05:00,BTCUSDT,-1,1,1", Kind.BAD_VALUE),
        ("2024-10-28 12:05:00,BTCUSDT,,1,1", Kind.MALFORMED),
        ("2024-10-28T12:05,BTCUSDT,1,1,1", Kind.MALFORMED),
    ],
)
def test_what_is_wrong_with_a_row(tmp_path: Path, line: str, kind: Kind) -> None:
    """The row is left out and its line named."""
    rows, found = read("BTCUSDT", tmp_path, f"{HEADER}2024-10-28 12:00:00,BTCUSDT,2,1,1\n{line}\n")
    assert [row["value"] for row in rows] == [2]
    assert found == [(kind, 3)]


def test_coin_margined_symbols_are_told_by_their_name() -> None:
    """``BTCUSD_PERP`` is inverse and counts contracts."""
    assert BinanceMetrics("BTCUSDT").market.venue == "BINANCE"
    market = BinanceMetrics("BTCUSD_PERP").market
    assert (market.venue, market.inverse) == ("BINANCE_COINM", True)
