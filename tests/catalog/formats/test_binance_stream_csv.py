"""CSV files of Binance-Data-Processor: trades, diffs, snapshots, and all of them merged."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from catalog.anomalies import AnomalyLog
from catalog.anomalies import Kind as Anomaly
from catalog.formats.binance_stream_csv import BinanceStreamCsv
from catalog.tables import CLEAR, DELETE, F_LAST, F_SNAPSHOT, SCHEMAS, UPDATE, Kind

TWINS = Path(__file__).parents[3].parent / "shared" / "data" / "binance_trx_csv"
needs_twins = pytest.mark.skipif(not TWINS.exists(), reason="the files are not beside the checkout")

T0 = 1_741_046_400_000  # ms
MS = 1_000_000
USDM = BinanceStreamCsv("usdm", "TRXUSDT")
SPOT = BinanceStreamCsv("spot", "TRXUSDT")
COINM = BinanceStreamCsv("coinm", "TRXUSD_PERP")

TRADES = (
    "TimestampOfReceive,Stream,EventType,EventTime,TransactionTime,Symbol,TradeId,Price,Quantity,"
    "IsBuyerMarketMaker,XUnknownParameter"
)
DIFFS = (
    "TimestampOfReceive,Stream,EventType,EventTime,TransactionTime,Symbol,FirstUpdateId,FinalUpdateId,"
    "FinalUpdateIdInLastStream,IsAsk,Price,Quantity"
)
SNAPSHOTS = "TimestampOfReceive,TimestampOfRequest,LastUpdateId,IsAsk,Price,Quantity"
MERGED = (
    "TimestampOfReceiveUS,TimestampOfReceive,Stream,EventType,EventTime,TransactionTime,Symbol,FirstUpdateId,"
    "FinalUpdateId,FinalUpdateIdInLastStream,IsAsk,Price,Quantity,PSUnknownField,TradeId,IsBuyerMarketMaker,"
    "XUnknownParameter,TimestampOfRequest,MessageOutputTime,LastUpdateId,StreamType,Market,IsLast,ServiceId"
)


def trade(
    ms: int, trade_id: int, price: str = "0.25", size: str = "5.0", maker: str = "1", kind: str = "MARKET"
) -> str:
    return f"{T0 + ms},trxusdt@trade,trade,{T0 + ms},{T0 + ms},TRXUSDT,{trade_id},{price},{size},{maker},{kind}"


def diff(ms: int, ids: tuple[int, int, int], side: str, price: str, size: str = "5.0", event: int | None = None) -> str:
    event = T0 + ms if event is None else event
    return (
        f"{T0 + ms},trxusdt@depth,depthUpdate,{event},{event},TRXUSDT,{ids[0]},{ids[1]},{ids[2]},{side},{price},{size}"
    )


def merged_level(kind: str, ms: int, ids: tuple[int, int, int], side: int, price: str, is_last: int) -> str:
    """A diff or a row of the carried book, or a snapshot of the last id of `ids`."""
    receive = f"{(T0 + ms) * 1000},{T0 + ms}"
    if kind == "DEPTH_SNAPSHOT":
        times = f"{T0 + ms},{T0 + ms},{ids[2]}"
        return f"{receive},,,,{T0 + ms},TRXUSDT,,,,{side},{price},5.0,,,,,{times},{kind},USD_M_FUTURES,{is_last},0"
    head = f"{receive},trxusdt@depth,depthUpdate,{T0 + ms},{T0 + ms},TRXUSDT,{ids[0]},{ids[1]},{ids[2]}"
    return f"{head},{side},{price},5.0,,,,,,,,{kind},USD_M_FUTURES,{is_last},0"


def merged_trade(ms: int, trade_id: int) -> str:
    head = f"{(T0 + ms) * 1000},{T0 + ms},trxusdt@trade,trade,{T0 + ms},{T0 + ms},TRXUSDT"
    return f"{head},,,,,0.25,5.0,,{trade_id},1,MARKET,,,,TRADE_STREAM,USD_M_FUTURES,1,0"


def read_files(reader: BinanceStreamCsv, files: Sequence[Path]) -> tuple[dict[Kind, pa.Table], AnomalyLog]:
    log = AnomalyLog()
    tables: dict[Kind, list[pa.Table]] = {kind: [] for kind in Kind}
    for chunk in reader.read(files, log, lambda *_: None):
        tables[chunk.kind].append(chunk.table)
    return {kind: pa.concat_tables([SCHEMAS[kind].empty_table(), *found]) for kind, found in tables.items()}, log


def read(
    folder: Path, lines: Sequence[str], reader: BinanceStreamCsv = USDM
) -> tuple[dict[Kind, pa.Table], AnomalyLog]:
    path = folder / "file.csv"
    path.write_text("\n".join(lines) + "\n")
    return read_files(reader, [path])


def refused(log: AnomalyLog) -> list[tuple[Anomaly, int | None]]:
    return [(a.kind, a.line) for a in log.refused]


class TestTrades:
    def test_row(self, tmp_path: Path) -> None:
        """Fields come as the venue counts them; comments may stand anywhere."""
        tables, log = read(tmp_path, ["# about", TRADES, trade(1, 7), "# aside", trade(2, 8, maker="0")])
        first, second = tables[Kind.TRADES].to_pylist()
        assert first == {
            "price": Decimal("0.25"),
            "size": Decimal(5),
            "aggressor_side": 2,
            "trade_id": "7",
            "ts_event": (T0 + 1) * MS,
            "ts_init": (T0 + 1) * MS,
            "line": 3,
        }
        assert (second["aggressor_side"], second["line"]) == (1, 5)
        assert not log.counts

    def test_fill_that_is_not_public(self, tmp_path: Path) -> None:
        """An empty last column is the venue's NA, with price and size 0: no row, but its id counts."""
        tables, log = read(tmp_path, [TRADES, trade(1, 7), trade(2, 8, "0.0", "0.0", kind=""), trade(3, 9)])
        assert tables[Kind.TRADES]["trade_id"].to_pylist() == ["7", "9"]
        assert not log.refused

    def test_fill_without_a_taker(self, tmp_path: Path) -> None:
        """The insurance fund and ADL trade with nobody: a row without aggressor, and no yardstick for prices."""
        tables, log = read(tmp_path, [TRADES, trade(1, 7), trade(2, 8, "0.5", kind="INSURANCE_FUND"), trade(3, 9)])
        assert tables[Kind.TRADES]["aggressor_side"].to_pylist() == [2, 0, 2]
        assert log.counts == {Anomaly.SKIPPED: 1}

    @pytest.mark.parametrize(
        ("row", "kind"),
        [
            (trade(2, 8, price="-1"), Anomaly.BAD_VALUE),
            (trade(2, 8, price="0.38"), Anomaly.BAD_VALUE),
            (trade(2, 8, maker="2"), Anomaly.BAD_VALUE),
            (trade(2, 7), Anomaly.DUPLICATE),
            (trade(2, 8).replace("TRXUSDT", "TRXUSDC"), Anomaly.WRONG_SYMBOL),
            (trade(2, 8).replace(f"trade,{T0 + 2}", "trade,0"), Anomaly.BAD_VALUE),
            (trade(2, 8) + ",", Anomaly.MALFORMED),
            (trade(2, 8, price="x"), Anomaly.MALFORMED),
            (trade(0, 8), Anomaly.TIME_BACKWARDS),
        ],
    )
    def test_impossible_rows(self, tmp_path: Path, row: str, kind: Anomaly) -> None:
        """Each is reported at its line and left out."""
        tables, log = read(tmp_path, [TRADES, trade(1, 7), row, trade(3, 9)])
        assert refused(log) == [(kind, 3)]
        assert tables[Kind.TRADES]["trade_id"].to_pylist() == ["7", "9"]


class TestDiffs:
    def test_rows_of_one_message_are_one_frame(self, tmp_path: Path) -> None:
        """Zero deletes, the last row ends the frame, and all rows carry the line of the first."""
        rows = [
            diff(1, (1, 5, 0), "0", "0.25"),
            diff(1, (1, 5, 0), "1", "0.26", "0.0"),
            diff(2, (6, 7, 5), "0", "0.24"),
        ]
        tables, log = read(tmp_path, [DIFFS, *rows])
        book = tables[Kind.BOOK]
        assert book["action"].to_pylist() == [CLEAR, UPDATE, DELETE, UPDATE]
        assert book["flags"].to_pylist() == [F_LAST | F_SNAPSHOT, 0, F_LAST, F_LAST]
        assert book["sequence"].to_pylist() == [0, 5, 5, 7]
        assert book["line"].to_pylist() == [2, 2, 2, 4]
        assert log.counts == {Anomaly.UNSEEDED_BOOK: 1}

    def test_row_written_late_stays_in_its_frame(self, tmp_path: Path) -> None:
        """Same ids, later clocks: the frame keeps the time of its first row."""
        rows = [diff(1, (1, 5, 0), "0", "0.25"), diff(9, (1, 5, 0), "0", "0.24")]
        tables, log = read(tmp_path, [DIFFS, *rows])
        assert tables[Kind.BOOK]["ts_init"].to_pylist() == [(T0 + 1) * MS] * 3
        assert not log.refused

    def test_file_boundary_between_messages(self, tmp_path: Path) -> None:
        """The chain goes on in the next file, which has its own header."""
        (tmp_path / "a").write_text("\n".join([DIFFS, diff(1, (1, 5, 0), "0", "0.25")]))
        (tmp_path / "b").write_text("\n".join([DIFFS, diff(2, (6, 7, 5), "0", "0.25")]))
        (tmp_path / "c").write_text("\n".join([DIFFS, diff(3, (9, 9, 8), "0", "0.25")]))
        _, log = read_files(USDM, [tmp_path / name for name in "abc"])
        assert [(a.kind, a.file, a.line) for a in log.refused] == [(Anomaly.GAP, "c", 2)]

    @pytest.mark.parametrize(
        ("row", "kind"),
        [
            (diff(2, (6, 7, 5), "2", "0.25"), Anomaly.BAD_VALUE),
            (diff(2, (6, 7, 5), "0", "0"), Anomaly.BAD_VALUE),
            (diff(2, (6, 7, 5), "0", "0.25", "-1"), Anomaly.BAD_VALUE),
            (diff(2, (6, 5, 5), "0", "0.25"), Anomaly.BAD_VALUE),
            (diff(2, (6, 7, 5), "0", "0.25", event=T0 + 400_000), Anomaly.BAD_VALUE),
            (diff(1, (1, 5, 0), "0", "0.20", event=T0 + 2), Anomaly.BAD_VALUE),
            (diff(1, (1, 5, 0), "0", "0.20", event=T0), Anomaly.TIME_BACKWARDS),
            (diff(1, (1, 5, 0), "0", "0.25"), Anomaly.DUPLICATE),
            (diff(2, (8, 9, 7), "0", "0.25"), Anomaly.GAP),
            (diff(2, (6, 7, 5), "0", "x"), Anomaly.MALFORMED),
            (diff(2, (6, 7, 5), "0", "0.25").replace("TRXUSDT", "X"), Anomaly.WRONG_SYMBOL),
        ],
    )
    def test_impossible_rows(self, tmp_path: Path, row: str, kind: Anomaly) -> None:
        """Each is reported at its line."""
        _, log = read(tmp_path, [DIFFS, diff(1, (1, 5, 0), "0", "0.25"), row])
        assert refused(log) == [(kind, 3)]

    def test_cut_last_row(self, tmp_path: Path) -> None:
        """A file that ends inside a row is TRUNCATED; one that only lacks the last line end is whole."""
        path = tmp_path / "file.csv"
        path.write_text("\n".join([DIFFS, diff(1, (1, 5, 0), "0", "0.25"), diff(2, (6, 7, 5), "0", "0.25")]))
        assert not read_files(USDM, [path])[1].refused
        path.write_text("\n".join([DIFFS, diff(1, (1, 5, 0), "0", "0.25"), diff(2, (6, 7, 5), "0", "0.25")[:-9]]))
        assert refused(read_files(USDM, [path])[1]) == [(Anomaly.TRUNCATED, 3)]

    def test_every_reason_of_a_row_is_told(self, tmp_path: Path) -> None:
        """A symbol, a side and a price that are wrong at once are three findings."""
        row = diff(1, (1, 5, 0), "2", "-1").replace("TRXUSDT", "X")
        _, log = read(tmp_path, [DIFFS, row])
        assert refused(log) == [(Anomaly.WRONG_SYMBOL, 2), (Anomaly.BAD_VALUE, 2), (Anomaly.BAD_VALUE, 2)]


class TestSnapshots:
    def test_one_frame_a_reply(self, tmp_path: Path) -> None:
        """Rows of one LastUpdateId are a frame; without a venue's time ts_event is ts_init."""
        rows = [f"{T0 + 5},{T0},8,0,0.25,1.0", f"{T0 + 5},{T0},8,1,0.26,1.0", f"{T0 + 9},{T0 + 6},11,0,0.25,2.0"]
        tables, log = read(tmp_path, [SNAPSHOTS, *rows], SPOT)
        book = tables[Kind.BOOK]
        assert book["sequence"].to_pylist() == [8, 8, 8, 11, 11]
        assert book["ts_event"].to_pylist() == book["ts_init"].to_pylist() == [(T0 + 5) * MS] * 3 + [(T0 + 9) * MS] * 2
        assert not log.counts

    @pytest.mark.parametrize(
        "row", ["1,{t},8,0,0.25,1.0", "{t},1,8,0,0.25,1.0", "{t},{t},8,0,0.25,0.0", "{t},{t},8,3,0.25,1.0"]
    )
    def test_impossible_rows(self, tmp_path: Path, row: str) -> None:
        """Times, sizes and sides that cannot be."""
        good = f"{T0},{T0},8,0,0.20,1.0"
        _, log = read(tmp_path, [SNAPSHOTS, good, row.format(t=T0), good.replace("0.20", "0.21")], SPOT)
        assert refused(log) == [(Anomaly.BAD_VALUE, 3)]


class TestMerged:
    ROWS = (
        merged_level("FINAL_DEPTH_SNAPSHOT", 1, (1, 4, 0), 0, "0.25", 0),
        merged_level("FINAL_DEPTH_SNAPSHOT", 1, (5, 9, 4), 1, "0.26", 1),
        merged_level("DIFFERENCE_DEPTH_STREAM", 2, (12, 15, 9), 0, "0.24", 0),
        merged_level("DIFFERENCE_DEPTH_STREAM", 2, (12, 15, 9), 0, "0.23", 1),
        merged_trade(3, 7),
        merged_level("DEPTH_SNAPSHOT", 4, (0, 0, 15), 0, "0.25", 1),
        merged_level("DIFFERENCE_DEPTH_STREAM", 5, (18, 20, 15), 0, "0.24", 1),
    )

    def test_all_streams_in_one_file(self, tmp_path: Path) -> None:
        """The carried book seeds with its highest id, diffs follow it, a REST reply restarts it."""
        tables, log = read(tmp_path, [MERGED, *self.ROWS])
        book = tables[Kind.BOOK]
        assert book["sequence"].to_pylist() == [9, 9, 9, 15, 15, 15, 15, 20]
        assert [a == CLEAR for a in book["action"].to_pylist()] == [True, *[False] * 4, True, False, False]
        assert tables[Kind.TRADES].num_rows == 1
        assert not log.counts

    def test_receive_clock_is_the_microsecond_column(self, tmp_path: Path) -> None:
        """A moved REST reply keeps its own time in the other column; for all else the two must agree."""
        rows = list(self.ROWS)
        rows[5] = rows[5].replace(f",{T0 + 4},,", f",{T0 + 1},,", 1)
        _, log = read(tmp_path, [MERGED, *rows])
        assert not log.refused
        rows[4] = rows[4].replace(f",{T0 + 3},", f",{T0 + 1},", 1)
        _, log = read(tmp_path, [MERGED, *rows])
        assert refused(log) == [(Anomaly.BAD_VALUE, 6)]

    def test_is_last_must_agree_with_the_messages(self, tmp_path: Path) -> None:
        """A flag inside a message and a missing one at its end are named."""
        rows = list(self.ROWS)
        rows[0] = rows[0].replace("USD_M_FUTURES,0", "USD_M_FUTURES,1")
        rows[3] = rows[3].replace("USD_M_FUTURES,1", "USD_M_FUTURES,0")
        _, log = read(tmp_path, [MERGED, *rows])
        assert refused(log) == [(Anomaly.BAD_VALUE, 2), (Anomaly.BAD_VALUE, 5)]

    def test_file_that_ends_inside_a_message(self, tmp_path: Path) -> None:
        """The last row lacks IsLast: TRUNCATED."""
        _, log = read(tmp_path, [MERGED, *self.ROWS[:3]])
        assert refused(log) == [(Anomaly.TRUNCATED, 4)]

    def test_another_market(self, tmp_path: Path) -> None:
        """The column Market must be the one asked for."""
        _, log = read(tmp_path, [MERGED, self.ROWS[4].replace("USD_M", "COIN_M")])
        assert refused(log) == [(Anomaly.WRONG_SYMBOL, 2)]


class TestHeaders:
    @pytest.mark.parametrize(
        "header", ["a,b,c", TRADES.replace(",Price", ""), DIFFS.replace("IsAsk,Price", "Price,IsAsk")]
    )
    def test_unknown_header(self, tmp_path: Path, header: str) -> None:
        """A header that is of none of the four layouts is MALFORMED, once."""
        _, log = read(tmp_path, [header, "1,2,3", "4,5,6"])
        assert refused(log) == [(Anomaly.MALFORMED, 1)]

    def test_header_alone(self, tmp_path: Path) -> None:
        """A file without rows is MALFORMED."""
        _, log = read(tmp_path, [TRADES, ""])
        assert refused(log) == [(Anomaly.MALFORMED, None)]


def test_markets() -> None:
    """COIN-M is an inverse perpetual on a venue of its own; an unknown type is named."""
    assert COINM.market.instrument_id == "TRXUSD-PERP.BINANCE_COINM"
    assert COINM.market.inverse
    with pytest.raises(ValueError, match="'linear'"):
        BinanceStreamCsv("linear", "BTCUSDT")  # type: ignore[arg-type]


DEPTH = "binance_difference_depth_stream"
MERGED_NAME = "merged_depth_snapshot_difference_depth_stream_trade_stream_usd_m_futures_trxusdt_14-04-2025"
B, D, G, W, Y = Anomaly.BAD_VALUE, Anomaly.DUPLICATE, Anomaly.GAP, Anomaly.WRONG_SYMBOL, Anomaly.TIME_BACKWARDS


@needs_twins
@pytest.mark.parametrize(
    ("reader", "name", "trades", "frames"),
    [
        (USDM, "test_positive_binance_trade_stream_usd_m_futures_trxusdt_04-03-2025", 9_999, 0),  # one is X = NA
        (SPOT, "test_positive_binance_trade_stream_spot_trxusdt_04-03-2025", 10_000, 0),
        (COINM, "test_positive_binance_trade_stream_coin_m_futures_trxusd_perp_04-03-2025", 10_000, 0),
        (USDM, f"test_positive_{DEPTH}_usd_m_futures_trxusdt_04-03-2025", 0, 601),
        (SPOT, f"test_positive_{DEPTH}_spot_trxusdt_04-03-2025", 0, 2_834),
        (COINM, f"test_positive_{DEPTH}_coin_m_futures_trxusd_perp_04-03-2025", 0, 1_150),
        (BinanceStreamCsv("spot", "BTCUSDT"), "test_positive_binance_depth_snapshot_spot_btcusdt_14-04-2025", 0, 2),
        (USDM, f"{MERGED_NAME}_positive", 199, 157),
        (USDM, f"test_negative_{DEPTH}_usd_m_futures_trxusdt_04-03-2025", 0, 601),  # the same as its clean twin
    ],
)
def test_clean_twins(reader: BinanceStreamCsv, name: str, trades: int, frames: int) -> None:
    """Real files are read whole: every row of a diff or snapshot is a level, every message is a frame."""
    path = TWINS / f"{name}.csv.gz"
    tables, log = read_files(reader, [path])
    log.raise_if_refused()
    assert tables[Kind.TRADES].num_rows == trades
    book = tables[Kind.BOOK]
    assert np.count_nonzero(np.asarray(book["flags"]) & F_LAST) == frames
    for kind in (Kind.BOOK, Kind.TRADES):
        assert (np.diff(np.asarray(tables[kind]["ts_init"])) >= 0).all()


@needs_twins
@pytest.mark.parametrize(
    ("reader", "name", "expected"),
    [
        (USDM, "test_negative_binance_trade_stream_usd_m_futures_trxusdt_04-03-2025", [(B, 2)]),
        # after the repeated id 348656871 the id 348656872 is missing
        (SPOT, "test_negative_binance_trade_stream_spot_trxusdt_04-03-2025", [(D, 4), (G, 5), (B, 10_001)]),
        # line 2 is received a second late: nothing in the file contradicts that
        (
            COINM,
            "test_negative_binance_trade_stream_coin_m_futures_trxusd_perp_04-03-2025",
            [(D, 4), (B, 4), (B, 10_001)],
        ),
        # the last row is moved past midnight with both of its clocks: consistent, so not knowable
        (SPOT, f"test_negative_{DEPTH}_spot_trxusdt_04-03-2025", [(B, 2), (B, 2), (Y, 10), (G, 9)]),
        # the ask of 11.23 in line 8 is a legal level
        (
            COINM,
            f"test_negative_{DEPTH}_coin_m_futures_trxusd_perp_04-03-2025",
            [(W, 2), (B, 2), (B, 3), (B, 4), (B, 4), (B, 10), (B, 10_001)],
        ),
        # that the second snapshot is missing cannot be known
        (
            BinanceStreamCsv("spot", "BTCUSDT"),
            "test_negative_binance_depth_snapshot_spot_btcusdt_14-04-2025",
            [(B, 32)],
        ),
        # FinalUpdateId of lines 5667 to 5691 is one too high: the next diff contradicts it
        (USDM, f"{MERGED_NAME}_negative", [(B, 146), (B, 147), (G, 7_697)]),
    ],
)
def test_corrupted_twins(reader: BinanceStreamCsv, name: str, expected: list[tuple[Anomaly, int]]) -> None:
    """Every planted corruption that the file itself contradicts is found, at its line, and nothing else is."""
    _, log = read_files(reader, [TWINS / f"{name}.csv.gz"])
    assert refused(log) == expected
