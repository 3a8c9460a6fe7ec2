"""Bybit's dumps of trades."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog.anomalies import AnomalyLog, Kind, OnGap
from catalog.formats.bybit_trades import BybitTrades
from catalog.tables import BUYER, SELLER

HEADER = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional\n"
SPOT_HEADER = "id,timestamp,price,volume,side\n"
LINEAR = BybitTrades("linear", "BTCUSDT")
SPOT = BybitTrades("spot", "BTCUSDT")


def read(
    reader: BybitTrades, folder: Path, *texts: str, on_gap: OnGap = OnGap.REFUSE
) -> tuple[list[dict[str, Any]], list[tuple[Kind, int | None]]]:
    files = []
    for number, text in enumerate(texts):
        files.append(folder / f"{number}.csv")
        files[-1].write_text(text)
    log = AnomalyLog(on_gap)
    rows = [row for chunk in reader.read(files, log, lambda *_: None) for row in chunk.table.to_pylist()]
    return rows, [(a.kind, a.line) for a in (*log.refused, *log.tolerated)]


def trade(seconds: str, uuid: str, side: str = "Buy", symbol: str = "BTCUSDT", price: str = "6500.5") -> str:
    return f"{seconds},{symbol},{side},0.016,{price},ZeroPlusTick,{uuid},1.04e+10,0.016,104.008\n"


def test_decimal_seconds_are_exact(tmp_path: Path) -> None:
    """1585180700.0647 s is a double that cannot be trusted to 100 us; the text is."""
    rows, found = read(LINEAR, tmp_path, HEADER + trade("1585180700.0647", "a-1", "Sell"))
    assert not found
    assert rows == [
        {
            "price": Decimal("6500.5"),
            "size": Decimal("0.016"),
            "aggressor_side": SELLER,
            "trade_id": "a-1",
            "ts_event": 1585180700_064700000,
            "ts_init": 1585180700_064700000,
            "line": 2,
        }
    ]


def test_spot_rows_are_numbered_from_one_in_every_file(tmp_path: Path) -> None:
    """ms, lower-case sides; the number starts again in the next file, and an RPI column changes nothing."""
    first = SPOT_HEADER + "1,1747612800074,106453.8,0.003718,sell\n2,1747612800150,106456.9,0.0005,buy\n"
    second = SPOT_HEADER.replace("\n", ",rpi\n") + "1,1747699200000,106460,0.001,buy,0\n"
    rows, found = read(SPOT, tmp_path, first, second)
    assert not found
    assert [row["aggressor_side"] for row in rows] == [SELLER, BUYER, BUYER]
    assert [row["trade_id"] for row in rows] == ["1", "2", "1"]
    assert rows[0]["ts_event"] == 1747612800_074000000


def test_spot_numbers_tell_gaps_and_repeats(tmp_path: Path) -> None:
    """Within a file the numbers are contiguous."""
    text = SPOT_HEADER + "".join(f"{i},1747612800074,100,1,buy\n" for i in (1, 2, 2, 5))
    rows, found = read(SPOT, tmp_path, text, on_gap=OnGap.RESYNC)
    assert [row["trade_id"] for row in rows] == ["1", "2", "5"]
    assert found == [(Kind.DUPLICATE, 4), (Kind.GAP, 5)]


def test_an_id_twice_at_the_same_time_is_a_duplicate(tmp_path: Path) -> None:
    """Also when the two rows are in two files; the same id at another time is not looked for."""
    first = HEADER + trade("1585180700.1", "a") + trade("1585180700.1", "b") + trade("1585180700.1", "a")
    second = HEADER + trade("1585180700.1", "b") + trade("1585180700.1", "c") + trade("1585180700.2", "a")
    rows, found = read(LINEAR, tmp_path, first, second)
    assert [row["trade_id"] for row in rows] == ["a", "b", "c", "a"]
    assert found == [(Kind.DUPLICATE, 4), (Kind.DUPLICATE, 2)]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (trade("1585180700.0", "b"), Kind.TIME_BACKWARDS),
        (trade("1585180700.1234567891", "b"), Kind.MALFORMED),
        (trade("1585180700064", "b"), Kind.MALFORMED),
        (trade("1585180700.2", ""), Kind.MALFORMED),
        (trade("1585180700.2", "é"), Kind.MALFORMED),
        (trade("0", "b"), Kind.BAD_VALUE),
        (trade("1585180700.2", "b", "Hold"), Kind.BAD_VALUE),
        (trade("1585180700.2", "b", price="0"), Kind.BAD_VALUE),
        (trade("1585180700.2", "b", price="13001.1"), Kind.BAD_VALUE),
        (trade("1585180700.2", "b", symbol="ETHUSDT"), Kind.WRONG_SYMBOL),
    ],
)
def test_what_is_wrong_with_a_row(tmp_path: Path, line: str, kind: Kind) -> None:
    """The row is left out and its line named."""
    rows, found = read(LINEAR, tmp_path, HEADER + trade("1585180700.1", "a") + line)
    assert [row["trade_id"] for row in rows] == ["a"]
    assert found == [(kind, 3)]


def test_a_file_sorted_newest_first_is_one_finding(tmp_path: Path) -> None:
    """It is told once, not once a row."""
    text = HEADER + trade("1585180703", "a") + trade("1585180702", "b") + trade("1585180701", "c")
    rows, found = read(LINEAR, tmp_path, text)
    assert not rows
    assert found == [(Kind.TIME_BACKWARDS, 2)]


def test_categories() -> None:
    """Inverse markets are told by the category; an unknown one is an error."""
    assert BybitTrades("inverse", "BTCUSD").market.instrument_id == "BTCUSD-INVERSE.BYBIT"
    assert SPOT.market.instrument_id == "BTCUSDT-SPOT.BYBIT"
    with pytest.raises(ValueError, match="linear, spot, inverse"):
        BybitTrades("perp", "BTCUSDT")
