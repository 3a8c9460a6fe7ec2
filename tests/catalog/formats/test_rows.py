"""Events of one row each as a table."""

from decimal import Decimal

import pytest

from catalog.anomalies import AnomalyLog
from catalog.anomalies import Kind as Anomaly
from catalog.formats.rows import Rows
from catalog.tables import Kind


def test_rows_become_columns() -> None:
    """Texts are exact decimals, and `take` begins anew."""
    rows = Rows(Kind.FUNDING, "f", AnomalyLog())
    rows.add(("-0.00010000", 0, 9, 1, 2, 3))
    assert len(rows) == 1
    assert rows.take().table.to_pylist() == [
        {
            "rate": Decimal("-0.0001"),
            "interval_minutes": 0,
            "next_funding_ns": 9,
            "ts_event": 1,
            "ts_init": 2,
            "line": 3,
        }
    ]
    assert len(rows) == 0
    assert rows.take().table.num_rows == 0


@pytest.mark.parametrize(
    ("kind", "bad", "good", "finding"),
    [
        (Kind.TRADES, ("0", "1", 1, "7", 1, 2, 3), ("1", "1", 1, "8", 1, 2, 4), Anomaly.BAD_VALUE),
        (Kind.TRADES, ("1", "0.0", 1, "7", 1, 2, 3), ("1", "1", 1, "8", 1, 2, 4), Anomaly.BAD_VALUE),
        (Kind.TRADES, ("1", "inf", 1, "7", 1, 2, 3), ("1", "1", 1, "8", 1, 2, 4), Anomaly.MALFORMED),
        (Kind.QUOTES, ("-1", "1", "1", "1", 1, 2, 3), ("1", "1", "0", "0", 1, 2, 4), Anomaly.BAD_VALUE),
        (Kind.QUOTES, ("1", "1", "1", "-1", 1, 2, 3), ("1", "1", "0", "0", 1, 2, 4), Anomaly.BAD_VALUE),
        (Kind.MARKS, ("0", 1, 2, 3), ("1", 1, 2, 4), Anomaly.BAD_VALUE),
    ],
)
def test_impossible_rows_are_reported_and_left_out(
    kind: Kind, bad: tuple[str | int, ...], good: tuple[str | int, ...], finding: Anomaly
) -> None:
    """Prices and traded sizes are above zero; a quoted size may be zero; a number must be one."""
    log = AnomalyLog()
    rows = Rows(kind, "f", log)
    rows.add(bad)
    rows.add(good)
    assert rows.take().table["line"].to_pylist() == [4]
    assert [(a.kind, a.line) for a in log.refused] == [(finding, 3)]
