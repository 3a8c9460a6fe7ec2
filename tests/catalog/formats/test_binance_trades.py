"""Binance's dumps of trades and aggregated trades."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.anomalies import AnomalyLog, Kind, OnGap
from catalog.formats.binance_trades import BinanceTrades
from catalog.tables import BUYER, SELLER

DATA = Path(__file__).parents[3].parent / "shared" / "data"
AGG_HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
MS = 1_729_209_600_000  # 2024-10-18 00:00:00


def read(
    reader: BinanceTrades, folder: Path, *texts: str, on_gap: OnGap = OnGap.REFUSE
) -> tuple[list[dict[str, Any]], AnomalyLog]:
    files = []
    for number, text in enumerate(texts):
        files.append(folder / f"{number}.csv")
        files[-1].write_text(text)
    log = AnomalyLog(on_gap)
    return [row for chunk in reader.read(files, log, lambda *_: None) for row in chunk.table.to_pylist()], log


def found(log: AnomalyLog) -> list[tuple[Kind, int | None]]:
    return [(a.kind, a.line) for a in (*log.refused, *log.tolerated)]


def agg(trade_id: int, price: str = "100", size: str = "1", ms: int = MS, maker: str = "true") -> str:
    return f"{trade_id},{price},{size},1,1,{ms},{maker}\n"


AGGREGATED = BinanceTrades("usdm", "BTCUSDT", aggregated=True)
SINGLE = BinanceTrades("usdm", "BTCUSDT", aggregated=False)


def test_a_buyer_who_made_the_price_was_sold_to(tmp_path: Path) -> None:
    """Side, exact decimals, id as text, ns times and the line of every row."""
    text = AGG_HEADER + agg(5, "0.7097", "19.0") + agg(6, "0.70980000", "2254", MS + 96, "false")
    rows, log = read(AGGREGATED, tmp_path, text)
    assert not log.counts
    assert rows == [
        {
            "price": Decimal("0.7097"),
            "size": Decimal(19),
            "aggressor_side": SELLER,
            "trade_id": "5",
            "ts_event": MS * 1_000_000,
            "ts_init": MS * 1_000_000,
            "line": 2,
        },
        {
            "price": Decimal("0.7098"),
            "size": Decimal(2254),
            "aggressor_side": BUYER,
            "trade_id": "6",
            "ts_event": (MS + 96) * 1_000_000,
            "ts_init": (MS + 96) * 1_000_000,
            "line": 3,
        },
    ]


def test_clock_offset_moves_only_the_receive_time(tmp_path: Path) -> None:
    """ts_init is the venue's time plus the offset."""
    rows, _ = read(BinanceTrades("usdm", "BTCUSDT", aggregated=True, clock_offset_ns=-5), tmp_path, agg(1))
    assert rows[0]["ts_event"] - rows[0]["ts_init"] == 5


def test_spot_aggregates_have_eight_columns_without_header_and_turned_to_us(tmp_path: Path) -> None:
    """A file in ms and one in us are one stream; True and False are read too."""
    first = f"1,100.5,2,1,1,{MS},True,True\n"
    second = f"2,100.5,2,1,1,{MS}250,False,True\n"
    rows, log = read(BinanceTrades("spot", "BTCUSDT", aggregated=True), tmp_path, first, second)
    assert not log.counts
    assert [row["ts_event"] for row in rows] == [MS * 1_000_000, MS * 1_000_000 + 250_000]
    assert [row["aggressor_side"] for row in rows] == [SELLER, BUYER]


def test_single_trades_with_and_without_header(tmp_path: Path) -> None:
    """Futures: six columns with a header; spot: seven without."""
    futures = f"id,price,qty,quote_qty,time,is_buyer_maker\n9,100,2,200,{MS},true\n"
    rows, _ = read(SINGLE, tmp_path, futures)
    assert [(row["trade_id"], row["size"], row["line"]) for row in rows] == [("9", Decimal(2), 2)]
    rows, _ = read(BinanceTrades("spot", "BTCUSDT", aggregated=False), tmp_path, f"9,100,2,200,{MS},True,True\n")
    assert [(row["trade_id"], row["size"], row["line"]) for row in rows] == [("9", Decimal(2), 1)]


def test_another_unit_within_a_file_is_malformed(tmp_path: Path) -> None:
    """The unit of a clock is told once a file."""
    rows, log = read(AGGREGATED, tmp_path, agg(1) + agg(2, ms=MS * 1000) + agg(3))
    assert [row["trade_id"] for row in rows] == ["1", "3"]
    assert found(log) == [(Kind.MALFORMED, 2)]


@pytest.mark.parametrize(
    "bad",
    [
        agg(2, price="0"),
        agg(2, price="-1"),
        agg(2, size="0"),
        agg(2, size="-3"),
        agg(2, ms=0),
        agg(2, maker="maybe"),
        agg(2, price="nan"),
        agg(2, price="151"),
        agg(2, price="49"),
    ],
)
def test_impossible_values_are_left_out(tmp_path: Path, bad: str) -> None:
    """Price and size must be above zero, the time a time, the side known, the price near the one before."""
    rows, log = read(AGGREGATED, tmp_path, agg(1) + bad + agg(3))
    assert [row["trade_id"] for row in rows] == ["1", "3"]
    # a line that cannot be read has no id, so its id is missing too
    assert found(log)[0] == (Kind.BAD_VALUE, 2)
    assert {kind for kind, _ in found(log)} <= {Kind.BAD_VALUE, Kind.GAP}


def test_a_price_may_move_far_in_more_than_a_minute(tmp_path: Path) -> None:
    """The same step 60.001 s later is believed."""
    rows, log = read(AGGREGATED, tmp_path, agg(1) + agg(2, price="151", ms=MS + 60_001))
    assert len(rows) == 2
    assert not log.counts


def test_a_repeated_or_lower_id_is_a_duplicate(tmp_path: Path) -> None:
    """Ids must rise; what was seen is left out, and the count goes on from the highest."""
    rows, log = read(AGGREGATED, tmp_path, agg(4) + agg(5) + agg(5) + agg(3) + agg(6))
    assert [row["trade_id"] for row in rows] == ["4", "5", "6"]
    assert found(log) == [(Kind.DUPLICATE, 3), (Kind.DUPLICATE, 4)]


def test_missing_aggregate_ids_are_a_gap_over_files_too(tmp_path: Path) -> None:
    """Aggregate ids are contiguous at the venue; under resync the trades go on."""
    rows, log = read(AGGREGATED, tmp_path, agg(4) + agg(7), agg(9), on_gap=OnGap.RESYNC)
    assert [row["trade_id"] for row in rows] == ["4", "7", "9"]
    assert found(log) == [(Kind.GAP, 2), (Kind.GAP, 1)]
    assert "2 trade ids are missing between 4 and 7" in log.tolerated[0].message


@pytest.mark.parametrize(
    ("market_type", "next_id", "kind"),
    [("usdm", 1_002, Kind.ID_JUMP), ("usdm", 1_003, Kind.GAP), ("coinm", 3, Kind.ID_JUMP), ("spot", 3, Kind.GAP)],
)
def test_futures_withhold_ids_of_single_trades(tmp_path: Path, market_type: str, next_id: int, kind: Kind) -> None:
    """Up to 1,000 missing trade ids are an ID_JUMP on futures; more, and any on spot, are a GAP."""
    tail = ",true\n" if market_type != "spot" else ",true,true\n"
    text = f"1,100,1,100,{MS}{tail}{next_id},100,1,100,{MS}{tail}"
    rows, log = read(BinanceTrades(market_type, "X", aggregated=False), tmp_path, text)
    assert len(rows) == 2
    assert found(log) == [(kind, 2)]


def test_a_time_that_steps_back_is_left_out(tmp_path: Path) -> None:
    """Times are judged against the row before, over files too."""
    rows, log = read(AGGREGATED, tmp_path, agg(1, ms=MS + 5) + agg(2, ms=MS + 4), agg(3, ms=MS + 6))
    assert [row["trade_id"] for row in rows] == ["1", "3"]
    assert found(log) == [(Kind.TIME_BACKWARDS, 2)]
    assert f"{(MS + 5) * 1_000_000} to {(MS + 4) * 1_000_000} ns" in log.refused[0].message


def test_a_header_without_price_is_malformed(tmp_path: Path) -> None:
    """The missing column is named on line 1."""
    _, log = read(AGGREGATED, tmp_path, AGG_HEADER.replace("price", "cost") + agg(1))
    assert found(log) == [(Kind.MALFORMED, 1)]
    assert "no column price" in log.refused[0].message


def test_unknown_market_type_is_an_error() -> None:
    """The message lists the known ones."""
    with pytest.raises(ValueError, match="spot, usdm, coinm"):
        BinanceTrades("margin", "BTCUSDT", aggregated=True)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.decimals("70", "100", places=4),
            st.decimals("0.00000001", "90000000", places=8),
            st.integers(0, 1000),
            st.booleans(),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_written_trades_come_back(
    tmp_path_factory: pytest.TempPathFactory, trades: list[tuple[Decimal, Decimal, int, bool]]
) -> None:
    """Prices and sizes are exactly the decimals that were written."""
    ms, lines = MS, []
    for number, (price, size, wait, maker) in enumerate(trades):
        ms += wait
        lines.append(agg(number, f"{price:f}", f"{size:f}", ms, str(maker).lower()))
    rows, log = read(AGGREGATED, tmp_path_factory.mktemp("agg"), AGG_HEADER + "".join(lines))
    assert not log.counts
    assert [(row["price"], row["size"], row["aggressor_side"]) for row in rows] == [
        (price, size, SELLER if maker else BUYER) for price, size, _, maker in trades
    ]
    assert rows[-1]["ts_init"] == ms * 1_000_000


@pytest.mark.skipif(not DATA.exists(), reason="the shared market data is not beside the checkout")
def test_a_real_file_has_no_findings() -> None:
    """APEUSDT of 2024-10-18: 45,342 aggregates, ids contiguous, 00:00:03 to 23:59:41."""
    path = DATA / "binance_public_dumps" / "futures-APEUSDT-aggTrades-2024-10-18.zip"
    log = AnomalyLog()
    tables = [c.table for c in BinanceTrades("usdm", "APEUSDT", aggregated=True).read([path], log, lambda *_: None)]
    assert not log.counts
    assert sum(map(len, tables)) == 45_342
    first, last = tables[0].slice(0, 1).to_pylist()[0], tables[-1].slice(len(tables[-1]) - 1).to_pylist()[0]
    assert (first["trade_id"], first["price"], first["size"]) == ("171927517", Decimal("0.7097"), Decimal(19))
    assert (first["ts_event"], first["aggressor_side"], first["line"]) == (1_729_209_603_958_000_000, BUYER, 2)
    assert int(last["trade_id"]) - int(first["trade_id"]) == 45_341
    assert last["line"] == 45_343
