"""Binance's dumps of settled funding rates."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog.anomalies import AnomalyLog, Kind, OnGap
from catalog.formats.binance_funding import BinanceFunding

HEADER = "calc_time,funding_interval_hours,last_funding_rate\n"
HOUR = 3_600_000
MS = 1_730_073_600_000  # 2024-10-28 00:00:00


def read(folder: Path, text: str) -> tuple[list[dict[str, Any]], list[tuple[Kind, int | None]]]:
    path = folder / "funding.csv"
    path.write_text(HEADER + text)
    log = AnomalyLog(OnGap.RESYNC)
    reader = BinanceFunding("BTCUSDT")
    rows = [row for chunk in reader.read([path], log, lambda *_: None) for row in chunk.table.to_pylist()]
    return rows, [(a.kind, a.line) for a in (*log.refused, *log.tolerated)]


def test_a_settlement_names_the_next_on_the_full_hour(tmp_path: Path) -> None:
    """17 ms past midnight with an interval of 8 h: the next one is at 08:00 sharp."""
    rows, found = read(tmp_path, f"{MS + 17},8,-0.00010000\n")
    assert not found
    assert rows == [
        {
            "rate": Decimal("-0.0001"),
            "interval_minutes": 480,
            "next_funding_ns": (MS + 8 * HOUR) * 1_000_000,
            "ts_event": (MS + 17) * 1_000_000,
            "ts_init": (MS + 17) * 1_000_000,
            "line": 2,
        }
    ]


@pytest.mark.parametrize("hours", [(8, 8), (8, 4), (4, 8)])
def test_intervals_may_change_both_ways(tmp_path: Path, hours: tuple[int, int]) -> None:
    """Settlements as far apart as the longer interval are complete."""
    longer = max(hours)
    text = f"{MS + 1},{hours[0]},0.0001\n{MS + longer * HOUR},{hours[1]},0.0001\n"
    assert read(tmp_path, text)[1] == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (f"{MS + 16 * HOUR},8,0.0001", Kind.GAP),
        (f"{MS},8,0.0001", Kind.DUPLICATE),
        (f"{MS - 8 * HOUR},8,0.0001", Kind.TIME_BACKWARDS),
        (f"{MS + 8 * HOUR},0,0.0001", Kind.BAD_VALUE),
        (f"{MS + 8 * HOUR},8,nan", Kind.BAD_VALUE),
        (f"{MS + 8 * HOUR},8,", Kind.MALFORMED),
        ("0,8,0.0001", Kind.BAD_VALUE),
    ],
)
def test_what_is_wrong_with_a_settlement(tmp_path: Path, line: str, kind: Kind) -> None:
    """Missing, repeated and impossible settlements have their line named."""
    rows, found = read(tmp_path, f"{MS},8,0.0001\n{line}\n")
    assert found == [(kind, 3)]
    assert len(rows) == (2 if kind is Kind.GAP else 1)
