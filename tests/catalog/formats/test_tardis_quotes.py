"""Best bids and asks of Tardis.dev."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog.anomalies import AnomalyLog, Kind
from catalog.formats.tardis_quotes import TardisQuotes

DATA = Path(__file__).parents[3].parent / "shared" / "data"
HEADER = "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n"
US = 1_582_329_602_000_000
READER = TardisQuotes("BTCUSDT", "binance-futures")


def quote(values: str, at: int = 0) -> str:
    return f"binance-futures,BTCUSDT,{US + at},{US + at + 300},{values}\n"


def read(folder: Path, text: str) -> tuple[list[dict[str, Any]], list[tuple[Kind, int | None]]]:
    path = folder / "quotes.csv"
    path.write_text(text)
    log = AnomalyLog()
    rows = [row for chunk in READER.read([path], log, lambda *_: None) for row in chunk.table.to_pylist()]
    return rows, [(a.kind, a.line) for a in (*log.refused, *log.tolerated)]


def test_asks_come_first_in_the_file(tmp_path: Path) -> None:
    """Columns are found by name."""
    rows, found = read(tmp_path, HEADER + quote("0.84,9682,9681.92,0"))
    assert not found
    assert rows == [
        {
            "bid_price": Decimal("9681.92"),
            "ask_price": Decimal(9682),
            "bid_size": Decimal(0),
            "ask_size": Decimal("0.84"),
            "ts_event": US * 1000,
            "ts_init": (US + 300) * 1000,
            "line": 2,
        }
    ]


def test_one_sided_rows_are_counted(tmp_path: Path) -> None:
    """A missing side is no quote of price zero: the row is left out."""
    rows, found = read(tmp_path, HEADER + quote(",,9681,1") + quote("1,9682,,") + quote("1,2,1,1", 1))
    assert [row["line"] for row in rows] == [4]
    assert found == [(Kind.SKIPPED, None)]


def test_a_file_of_one_sided_rows_has_no_quotes(tmp_path: Path) -> None:
    """Nothing comes out, and it is said how many rows were left out."""
    rows, found = read(tmp_path, HEADER + quote(",,9681,1"))
    assert not rows
    assert found == [(Kind.SKIPPED, None)]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (quote("1,0,1,1"), Kind.BAD_VALUE),
        (quote("-1,2,1,1"), Kind.BAD_VALUE),
        (quote("1,2,1,x"), Kind.MALFORMED),
        (quote("1,2,1,1", -1), Kind.TIME_BACKWARDS),
        (quote("1,2,1,1").replace("BTC", "ETH"), Kind.WRONG_SYMBOL),
    ],
)
def test_what_is_wrong_with_a_row(tmp_path: Path, line: str, kind: Kind) -> None:
    """The row is left out and its line named."""
    rows, found = read(tmp_path, HEADER + quote("1,2,1,1") + line)
    assert len(rows) == 1
    assert found == [(kind, 3)]


@pytest.mark.skipif(not DATA.exists(), reason="the shared market data is not beside the checkout")
def test_a_real_file_has_no_findings() -> None:
    """9,999 quotes, never crossed."""
    log = AnomalyLog()
    path = DATA / "tardis_csv_2020" / "binance-futures_quotes_2020-02-22_BTCUSDT.csv.gz"
    rows = [row for chunk in READER.read([path], log, lambda *_: None) for row in chunk.table.to_pylist()]
    assert not log.counts
    assert len(rows) == 9_999
    assert (rows[0]["bid_price"], rows[0]["ask_size"]) == (Decimal("9681.92"), Decimal("0.84"))
    assert all(row["bid_price"] < row["ask_price"] for row in rows)
