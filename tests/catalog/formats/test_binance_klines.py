"""Binance's dumps of bars."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog.anomalies import AnomalyLog, Kind, OnGap
from catalog.formats.binance_klines import BinanceKlines

DATA = Path(__file__).parents[3].parent / "shared" / "data"
HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
)
MINUTE = 60_000
MS = 1_730_073_600_000  # 2024-10-28 00:00:00
READER = BinanceKlines("spot", "BTCUSDT", "1m")


def bar(number: int, prices: str = "10,12,9,11", volume: str = "5", unit: int = 1, lasts: int = MINUTE) -> str:
    """The bar that opens `number` minutes after midnight; `unit` clock ticks are a ms."""
    start = (MS + number * MINUTE) * unit
    return f"{start},{prices},{volume},{start + lasts * unit - 1},0,0,0,0,0\n"


def read(
    reader: BinanceKlines, folder: Path, text: str, on_gap: OnGap = OnGap.REFUSE
) -> tuple[list[dict[str, Any]], list[tuple[Kind, int | None]]]:
    path = folder / "bars.csv"
    path.write_text(text)
    log = AnomalyLog(on_gap)
    rows = [row for chunk in reader.read([path], log, lambda *_: None) for row in chunk.table.to_pylist()]
    return rows, [(a.kind, a.line) for a in (*log.refused, *log.tolerated)]


@pytest.mark.parametrize("unit", [1, 1000], ids=["ms", "us"])
@pytest.mark.parametrize("header", ["", HEADER], ids=["bare", "header"])
def test_a_bar_is_known_when_it_has_closed(tmp_path: Path, unit: int, header: str) -> None:
    """ts_event is the close time plus one unit: the full minute."""
    rows, found = read(READER, tmp_path, header + bar(0, "10.5,12,9.25,11", "0.00000001", unit))
    assert not found
    assert rows == [
        {
            "step_seconds": 60,
            "open": Decimal("10.5"),
            "high": Decimal(12),
            "low": Decimal("9.25"),
            "close": Decimal(11),
            "volume": Decimal("0.00000001"),
            "ts_event": (MS + MINUTE) * 1_000_000,
            "ts_init": (MS + MINUTE) * 1_000_000,
            "line": 2 if header else 1,
        }
    ]


@pytest.mark.parametrize(
    ("second", "kind", "rows_kept"),
    [
        (bar(2), Kind.GAP, 2),
        (bar(0), Kind.DUPLICATE, 1),
        (bar(-1), Kind.TIME_BACKWARDS, 1),
        (bar(1, lasts=MINUTE * 5), Kind.BAD_VALUE, 1),
        (bar(1).replace(str(MS + MINUTE), str(MS + MINUTE + 7), 1), Kind.BAD_VALUE, 1),
        (bar(1, "10,9.5,9,9"), Kind.BAD_VALUE, 1),
        (bar(1, "10,12,10.5,11"), Kind.BAD_VALUE, 1),
        (bar(1, "0,12,0,11"), Kind.BAD_VALUE, 1),
        (bar(1, volume="-1"), Kind.BAD_VALUE, 1),
        (bar(1, "10,12,x,11"), Kind.MALFORMED, 1),
    ],
)
def test_what_is_wrong_with_a_bar(tmp_path: Path, second: str, kind: Kind, rows_kept: int) -> None:
    """Holes, repeats, wrong lengths, prices outside of high and low, and values that cannot be."""
    rows, found = read(READER, tmp_path, bar(0) + second, OnGap.RESYNC)
    assert found[0] == (kind, 2)
    assert len(rows) == rows_kept


def test_a_bar_without_trades_is_a_bar(tmp_path: Path) -> None:
    """Volume zero and a flat price are how the venue shows a halt."""
    rows, found = read(READER, tmp_path, bar(0) + bar(1, "11,11,11,11", "0"))
    assert len(rows) == 2
    assert not found


def test_unknown_interval_is_an_error() -> None:
    """The message lists the known ones; a month has no fixed length."""
    with pytest.raises(ValueError, match="1s, 1m, 3m"):
        BinanceKlines("spot", "BTCUSDT", "1mo")


@pytest.mark.skipif(not DATA.exists(), reason="the shared market data is not beside the checkout")
@pytest.mark.parametrize(
    ("market_type", "name", "opened", "volume"),
    [
        ("usdm", "futures-um-klines-BTCUSDT-1h-2024-10-28.zip", "67992.7", "5179.117"),
        ("spot", "spot-klines-BTCUSDT-1h-2024-10-28.zip", "68021.69", "555.35912"),
    ],
)
def test_real_files_have_no_findings(market_type: str, name: str, opened: str, volume: str) -> None:
    """24 hourly bars of 2024-10-28, with header (futures) and without (spot)."""
    log = AnomalyLog()
    reader = BinanceKlines(market_type, "BTCUSDT", "1h")
    path = DATA / "binance_public_dumps" / name
    rows = [row for c in reader.read([path], log, lambda *_: None) for row in c.table.to_pylist()]
    assert not log.counts
    assert [row["ts_event"] for row in rows] == [(MS + (k + 1) * 3_600_000) * 1_000_000 for k in range(24)]
    assert (rows[0]["open"], rows[0]["volume"]) == (Decimal(opened), Decimal(volume))
