"""Raw captures of Binance's WebSocket streams."""

import gzip
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.anomalies import AnomalyLog, IngestRefusedError, OnGap
from catalog.anomalies import Kind as Anomaly
from catalog.formats.binance_capture import BinanceCapture
from catalog.tables import CLEAR, F_LAST, NO_AGGRESSOR, SCHEMAS, SELLER, Kind

CAPTURES = Path(__file__).parents[3].parent / "shared" / "data" / "binance_raw_ws"
needs_captures = pytest.mark.skipif(not CAPTURES.exists(), reason="the captures are not beside the checkout")

T0 = 1_721_347_021_000  # ms
MS = 1_000_000
USDM = BinanceCapture("usdm", "BTCUSDT")
SPOT = BinanceCapture("spot", "BTCUSDT")


def line(ms: float, payload: dict[str, Any], stream: str | None = None) -> bytes:
    """Received `ms` after T0."""
    frame = payload if stream is None else {"stream": stream, "data": payload}
    return b"%d %s" % (round((T0 + ms) * MS), json.dumps(frame).encode())


def diff(ms: float, first: int, final: int, previous: int, bids: Any = (("10", "1"),), **changes: Any) -> bytes:
    payload = {"e": "depthUpdate", "E": T0, "T": T0, "s": "BTCUSDT", "U": first, "u": final, "pu": previous}
    return line(ms, payload | {"b": bids, "a": []} | changes, "btcusdt@depth@0ms")


def spot_diff(ms: float, first: int, final: int) -> bytes:
    payload = {"e": "depthUpdate", "E": T0, "s": "BTCUSDT", "U": first, "u": final, "b": [["10", "1"]], "a": []}
    return line(ms, payload, "btcusdt@depth@100ms")


def snapshot(ms: float, last_update_id: int) -> bytes:
    return line(ms, {"lastUpdateId": last_update_id, "E": T0, "T": T0, "bids": [["9", "5"]], "asks": [["11", "5"]]})


def trade(ms: float, trade_id: int, price: str = "10", **changes: Any) -> bytes:
    payload = {"e": "trade", "E": T0, "T": T0, "s": "BTCUSDT", "t": trade_id, "p": price, "q": "2", "X": "MARKET"}
    return line(ms, payload | {"m": True} | changes, "btcusdt@trade")


def agg_trade(ms: float, trade_id: int) -> bytes:
    payload = {"e": "aggTrade", "E": T0, "T": T0, "s": "BTCUSDT", "a": trade_id, "p": "10", "q": "2", "m": False}
    return line(ms, payload, "btcusdt@aggTrade")


def quote(ms: float, **changes: Any) -> bytes:
    payload = {"u": 1, "s": "BTCUSDT", "b": "10", "B": "1", "a": "11", "A": "0"}
    return line(ms, payload | changes, "btcusdt@bookTicker")


def mark(ms: float, price: str = "10", rate: str = "0.0001", settlement: int = T0 + 3_600_000) -> bytes:
    payload = {"e": "markPriceUpdate", "E": T0, "s": "BTCUSDT", "p": price, "r": rate, "T": settlement}
    return line(ms, payload, "btcusdt@markPrice@1s")


def read_files(
    reader: BinanceCapture, files: Sequence[Path], on_gap: OnGap = OnGap.REFUSE
) -> tuple[dict[Kind, pa.Table], AnomalyLog]:
    log = AnomalyLog(on_gap)
    tables: dict[Kind, list[pa.Table]] = {kind: [] for kind in Kind}
    for chunk in reader.read(files, log, lambda *_: None):
        tables[chunk.kind].append(chunk.table)
    return {kind: pa.concat_tables([SCHEMAS[kind].empty_table(), *found]) for kind, found in tables.items()}, log


def read(
    folder: Path, lines: Iterable[bytes], reader: BinanceCapture = USDM, on_gap: OnGap = OnGap.REFUSE
) -> tuple[dict[Kind, pa.Table], AnomalyLog]:
    path = folder / "capture"
    path.write_bytes(b"\n".join(lines) + b"\n")
    return read_files(reader, [path], on_gap)


def frames(table: pa.Table) -> list[tuple[str, int, float]]:
    """Every frame as (kind, sequence, ms after T0)."""
    found = []
    actions: list[int] = []
    for row in table.to_pylist():
        actions.append(row["action"])
        if row["flags"] & F_LAST:
            kind = "diff" if actions[0] != CLEAR else "clear" if len(actions) == 1 else "snapshot"
            found.append((kind, row["sequence"], row["ts_init"] / MS - T0))
            actions = []
    assert not actions, "rows after the last F_LAST"
    return found


def refused(log: AnomalyLog) -> list[tuple[Anomaly, int | None]]:
    return [(a.kind, a.line) for a in log.refused]


def told(log: AnomalyLog) -> list[str]:
    return [f"{a.kind}: {a.message}" for a in log.tolerated]


class TestBook:
    def test_diffs_wait_for_the_snapshot_and_follow_it_at_its_time(self, tmp_path: Path) -> None:
        """Held diffs are emitted when a live node would apply them; their own ts_event, sequence and line stay."""
        lines = [diff(1, 1, 5, 0), diff(2, 6, 9, 5, T=T0 + 1), snapshot(3, 7), diff(4, 10, 12, 9)]
        tables, log = read(tmp_path, lines)
        assert frames(tables[Kind.BOOK]) == [("snapshot", 7, 3), ("diff", 9, 3), ("diff", 12, 4)]
        assert tables[Kind.BOOK]["line"].to_pylist() == [3, 3, 3, 2, 4]
        assert tables[Kind.BOOK]["ts_event"].to_pylist()[3] == (T0 + 1) * MS
        assert not log.refused
        assert "skipped: 1 diffs older than the snapshot" in told(log)

    def test_spot_rule(self, tmp_path: Path) -> None:
        """u <= lastUpdateId is old, the next has lastUpdateId + 1 in it, then U is the u before + 1."""
        lines = [spot_diff(1, 1, 5), spot_diff(2, 6, 7), spot_diff(3, 8, 9), snapshot(4, 7), spot_diff(5, 10, 10)]
        tables, log = read(tmp_path, lines, SPOT)
        assert frames(tables[Kind.BOOK]) == [("snapshot", 7, 4), ("diff", 9, 4), ("diff", 10, 5)]
        assert "skipped: 2 diffs older than the snapshot" in told(log)
        assert not log.refused

    def test_impossible_ids(self, tmp_path: Path) -> None:
        """u below U is BAD_VALUE."""
        _, log = read(tmp_path, [snapshot(0, 5), diff(1, 9, 8, 5)])
        assert refused(log) == [(Anomaly.BAD_VALUE, 2)]

    def test_partial_depth_is_no_diff(self, tmp_path: Path) -> None:
        """Top-of-book streams look like diffs on futures and are skipped."""
        payload = json.loads(diff(1, 6, 7, 5).partition(b" ")[2])["data"]
        tables, log = read(tmp_path, [snapshot(0, 5), line(1, payload, "btcusdt@depth20@100ms")])
        assert frames(tables[Kind.BOOK]) == [("snapshot", 5, 0)]
        assert told(log) == ["skipped: 1 frames of depth20@100ms"]

    def test_levels_that_are_no_pairs(self, tmp_path: Path) -> None:
        """A level of one element is MALFORMED at its line, also while it waits."""
        _, log = read(tmp_path, [diff(1, 1, 5, 0, bids=[["10"]])])
        assert refused(log) == [(Anomaly.MALFORMED, 1)]

    def test_trades_do_not_wait_for_the_book(self, tmp_path: Path) -> None:
        """Order holds within a kind: trades before the snapshot keep their own times."""
        tables, _ = read(tmp_path, [diff(1, 1, 5, 0), trade(2, 1), snapshot(3, 5)])
        assert tables[Kind.TRADES]["ts_init"].to_pylist() == [(T0 + 2) * MS]

    def test_gap_is_refused(self, tmp_path: Path) -> None:
        """A broken pu is named by its line."""
        _, log = read(tmp_path, [snapshot(0, 5), diff(1, 6, 7, 5), diff(2, 10, 12, 9)])
        assert refused(log) == [(Anomaly.GAP, 3)]
        assert "the book ends in 7" in log.refused[0].message


class TestTrades:
    def test_row(self, tmp_path: Path) -> None:
        """The buyer being the maker makes it a sell; the id is text, T is the event's time."""
        tables, log = read(tmp_path, [trade(3, 77, "10.50", E=T0 + 1), trade(4, 78, m=False, E=T0 + 2)])
        first, second = tables[Kind.TRADES].to_pylist()
        assert first == {
            "price": Decimal("10.5"),
            "size": Decimal(2),
            "aggressor_side": 2,
            "trade_id": "77",
            "ts_event": T0 * MS,
            "ts_init": (T0 + 3) * MS,
            "line": 1,
        }
        assert second["aggressor_side"] == 1
        assert not log.counts

    def test_repeated_id(self, tmp_path: Path) -> None:
        """Equal and lower ids are DUPLICATE."""
        tables, log = read(tmp_path, [trade(1, 5), trade(2, 5), trade(3, 4), trade(4, 6)])
        assert refused(log) == [(Anomaly.DUPLICATE, 2), (Anomaly.DUPLICATE, 3)]
        assert tables[Kind.TRADES]["trade_id"].to_pylist() == ["5", "6"]

    def test_missing_ids(self, tmp_path: Path) -> None:
        """Futures withhold single fills: up to 1000 ids are told, more are a gap."""
        _, log = read(tmp_path, [trade(1, 5), trade(2, 1006), trade(3, 2008)])
        assert log.counts == {Anomaly.ID_JUMP: 1, Anomaly.GAP: 1}
        assert refused(log) == [(Anomaly.GAP, 3)]

    @pytest.mark.parametrize("reader", [SPOT, USDM])
    def test_aggregates_are_contiguous(self, tmp_path: Path, reader: BinanceCapture) -> None:
        """Any missing aggregate id is a gap."""
        _, log = read(tmp_path, [agg_trade(1, 5), agg_trade(2, 7)], reader)
        assert refused(log) == [(Anomaly.GAP, 2)]

    def test_spot_ids_are_contiguous(self, tmp_path: Path) -> None:
        """Any missing trade id of spot is a gap; under resync the trades go on."""
        tables, log = read(tmp_path, [trade(1, 5), trade(2, 7)], SPOT, OnGap.RESYNC)
        assert log.counts == {Anomaly.GAP: 1}
        assert tables[Kind.TRADES].num_rows == 2

    def test_fills_without_a_taker(self, tmp_path: Path) -> None:
        """The insurance fund and ADL trade with nobody: a row without aggressor, told once a file."""
        lines = [trade(1, 5), trade(2, 6, X="INSURANCE_FUND"), trade(3, 7, X="ADL"), trade(4, 8)]
        tables, log = read(tmp_path, lines)
        assert tables[Kind.TRADES]["aggressor_side"].to_pylist() == [SELLER, NO_AGGRESSOR, NO_AGGRESSOR, SELLER]
        assert told(log) == [
            "skipped: 2 trades without a public taker (insurance fund, ADL): kept, with no aggressor side"
        ]
        assert not log.refused

    def test_price_of_a_fill_without_a_taker_is_no_yardstick(self, tmp_path: Path) -> None:
        """It may be far off, and the next trade is held against the one before it."""
        lines = [trade(1, 5), trade(2, 6, "30", X="ADL"), trade(3, 7, "11"), trade(4, 8, "30")]
        tables, log = read(tmp_path, lines)
        assert tables[Kind.TRADES]["trade_id"].to_pylist() == ["5", "6", "7"]
        assert refused(log) == [(Anomaly.BAD_VALUE, 4)]

    @pytest.mark.parametrize(
        ("changes", "kind"),
        [({"t": 5}, Anomaly.DUPLICATE), ({"p": "-1"}, Anomaly.BAD_VALUE), ({"p": "x"}, Anomaly.MALFORMED),
         ({"X": None}, Anomaly.MALFORMED)],
    )  # fmt: skip
    def test_bad_fill_without_a_taker(self, tmp_path: Path, changes: dict[str, Any], kind: Anomaly) -> None:
        """Its other fields are held to the same rules."""
        tables, log = read(tmp_path, [trade(1, 5), trade(2, 6, **({"X": "ADL"} | changes))])
        assert refused(log) == [(kind, 2)]
        assert tables[Kind.TRADES].num_rows == 1

    @pytest.mark.parametrize("changes", [{"X": "NA", "p": "0", "q": "0"}, {"X": "NA"}, {"X": "ADL", "q": "0"}])
    def test_fills_that_are_withheld(self, tmp_path: Path, changes: dict[str, str]) -> None:
        """Without a price and size there is no row, but the id counts."""
        tables, log = read(tmp_path, [trade(1, 5), trade(2, 6, **changes), trade(3, 7)])
        assert tables[Kind.TRADES]["trade_id"].to_pylist() == ["5", "7"]
        assert told(log) == ["skipped: 1 trades that are not public (ADL, insurance fund)"]
        assert not log.refused

    def test_volume_is_not_counted_twice(self, tmp_path: Path) -> None:
        """Where both streams were recorded the first kind is taken, or the one asked for."""
        lines = [agg_trade(1, 1), trade(2, 10), trade(3, 11)]
        tables, log = read(tmp_path, lines)
        assert tables[Kind.TRADES]["trade_id"].to_pylist() == ["1"]
        assert told(log) == ["skipped: 2 trade events: the trades are taken from aggTrade"]
        tables, _ = read(tmp_path, lines, BinanceCapture("usdm", "BTCUSDT", trades="trade"))
        assert tables[Kind.TRADES]["trade_id"].to_pylist() == ["10", "11"]

    def test_far_off_price(self, tmp_path: Path) -> None:
        """More than half away is impossible within a minute, and the bad price is no yardstick."""
        lines = [
            trade(0, 1),
            trade(1, 2, "15.1"),
            trade(2, 3, "14.9"),
            trade(70_000, 4, "30", E=T0 + 70_000, T=T0 + 70_000),
        ]
        tables, log = read(tmp_path, lines)
        assert refused(log) == [(Anomaly.BAD_VALUE, 2)]
        assert tables[Kind.TRADES]["trade_id"].to_pylist() == ["1", "3", "4"]

    @pytest.mark.parametrize(
        ("changes", "kind"),
        [
            ({"p": "-1"}, Anomaly.BAD_VALUE),
            ({"p": "0"}, Anomaly.BAD_VALUE),
            ({"q": "0"}, Anomaly.BAD_VALUE),
            ({"q": "x"}, Anomaly.MALFORMED),
            ({"p": "nan"}, Anomaly.MALFORMED),
            ({"m": 1}, Anomaly.MALFORMED),
            ({"t": "5"}, Anomaly.MALFORMED),
            ({"E": 0}, Anomaly.BAD_VALUE),
            ({"T": 0}, Anomaly.BAD_VALUE),
            ({"E": T0 - 301_000}, Anomaly.BAD_VALUE),
            ({"T": T0 * 1_000}, Anomaly.MALFORMED),
            ({"s": "ETHUSDT"}, Anomaly.WRONG_SYMBOL),
        ],
    )
    def test_impossible_fields(self, tmp_path: Path, changes: dict[str, Any], kind: Anomaly) -> None:
        """A field that cannot be right is reported at its line and its trade left out."""
        tables, log = read(tmp_path, [trade(0, 1), trade(1, 2, **changes)])
        assert refused(log) == [(kind, 2)]
        assert tables[Kind.TRADES].num_rows == 1


class TestOtherStreams:
    def test_spot_quote_has_no_venue_time(self, tmp_path: Path) -> None:
        """ts_event is then ts_init; a side of size zero is what the venue sent."""
        tables, log = read(tmp_path, [quote(5)], SPOT)
        (row,) = tables[Kind.QUOTES].to_pylist()
        assert row["ts_event"] == row["ts_init"] == (T0 + 5) * MS
        assert (row["bid_price"], row["ask_price"], row["bid_size"], row["ask_size"]) == (10, 11, 1, 0)
        assert not log.counts

    def test_futures_quote_has(self, tmp_path: Path) -> None:
        """E and T come with futures quotes."""
        tables, _ = read(tmp_path, [quote(5, e="bookTicker", E=T0 + 1, T=T0)])
        assert tables[Kind.QUOTES]["ts_event"].to_pylist() == [T0 * MS]

    def test_quote_without_a_price(self, tmp_path: Path) -> None:
        """A price of zero is BAD_VALUE."""
        tables, log = read(tmp_path, [quote(1, b="0"), quote(2)], SPOT)
        assert refused(log) == [(Anomaly.BAD_VALUE, 1)]
        assert tables[Kind.QUOTES]["line"].to_pylist() == [2]

    def test_marks_and_funding(self, tmp_path: Path) -> None:
        """Every update is a mark; funding is a row where the rate or the settlement time changes, and at first."""
        lines = [mark(1), mark(2, "11"), mark(3, rate="-0.0002"), mark(4, rate="-0.0002", settlement=T0 + 7_200_000)]
        tables, log = read(tmp_path, lines)
        assert tables[Kind.MARKS]["value"].to_pylist() == [10, 11, 10, 10]
        funding = tables[Kind.FUNDING].to_pylist()
        assert [(row["line"], row["rate"]) for row in funding] == [
            (1, Decimal("0.0001")),
            (3, Decimal("-0.0002")),
            (4, Decimal("-0.0002")),
        ]
        assert [row["next_funding_ns"] - T0 * MS for row in funding] == [3_600_000 * MS, 3_600_000 * MS, 7_200_000 * MS]
        assert {row["interval_minutes"] for row in funding} == {0}
        assert not log.counts

    def test_unknown_events_are_counted(self, tmp_path: Path) -> None:
        """What is not read is told, by stream."""
        lines = [line(1, {"e": "kline"}, "btcusdt@kline_1m"), line(2, {"e": "kline"}, "btcusdt@kline_1m"), trade(3, 1)]
        tables, log = read(tmp_path, [*lines, line(4, {"result": None, "id": 1})])
        assert tables[Kind.TRADES].num_rows == 1
        assert told(log) == ["skipped: 2 frames of kline_1m", "skipped: 1 frames of event None"]

    def test_bare_payloads(self, tmp_path: Path) -> None:
        """A capture of a raw stream has no names around its payloads."""
        framed = [trade(1, 1), agg_trade(1, 1), quote(2), mark(3), diff(4, 1, 5, 0)]
        payloads = [json.dumps(json.loads(text.partition(b" ")[2])["data"]).encode() for text in framed]
        bare = [b"%d %s" % (T0 * MS, payload) for payload in payloads]
        tables, log = read(tmp_path, bare)
        counted = {kind: table.num_rows for kind, table in tables.items() if table.num_rows}
        assert counted == {Kind.TRADES: 1, Kind.QUOTES: 1, Kind.MARKS: 1, Kind.FUNDING: 1, Kind.BOOK: 2}
        assert not log.refused


class TestClocks:
    @pytest.mark.parametrize("scale", [1, 10**3, 10**6], ids=["ns", "us", "ms"])
    def test_units_of_receive_time(self, tmp_path: Path, scale: int) -> None:
        """The unit comes from the magnitude."""
        head, _, body = trade(1, 1).partition(b" ")
        tables, log = read(tmp_path, [b"%d %s" % (int(head) // scale, body)])
        assert tables[Kind.TRADES]["ts_init"].to_pylist() == [(T0 + 1) * MS]
        assert not log.counts

    def test_mixed_units(self, tmp_path: Path) -> None:
        """A capture does not change its unit midway."""
        head, _, body = trade(2, 2).partition(b" ")
        tables, log = read(tmp_path, [trade(1, 1), b"%d %s" % (int(head) // 1_000, body), trade(3, 2)])
        assert refused(log) == [(Anomaly.MALFORMED, 2)]
        assert tables[Kind.TRADES].num_rows == 2

    def test_negative_latency_is_told_and_kept(self, tmp_path: Path) -> None:
        """A recorder behind the venue is one CLOCK_SKEW a file; nothing is clamped."""
        tables, log = read(tmp_path, [trade(-1_500, 1), trade(-1_400, 2)])
        assert tables[Kind.TRADES]["ts_init"].to_pylist() == [(T0 - 1_500) * MS, (T0 - 1_400) * MS]
        assert log.counts == {Anomaly.CLOCK_SKEW: 1}
        assert "min -1500.000 ms, median -1500 ms" in log.tolerated[0].message

    def test_clock_offset(self, tmp_path: Path) -> None:
        """The offset moves ts_init only, and cures the skew."""
        reader = BinanceCapture("usdm", "BTCUSDT", clock_offset_ns=1_600 * MS)
        tables, log = read(tmp_path, [trade(-1_500, 1)], reader)
        assert tables[Kind.TRADES]["ts_init"].to_pylist() == [(T0 + 100) * MS]
        assert tables[Kind.TRADES]["ts_event"].to_pylist() == [T0 * MS]
        assert not log.counts

    def test_receive_time_steps_back(self, tmp_path: Path) -> None:
        """One clock for all streams: a step back between two of them counts."""
        _, log = read(tmp_path, [trade(2, 1), quote(1)], SPOT)
        assert refused(log) == [(Anomaly.TIME_BACKWARDS, 2)]

    def test_event_time_steps_back_within_a_stream(self, tmp_path: Path) -> None:
        """Each stream's E on its own: trades may be behind quotes, not behind trades."""
        quoted = quote(0, E=T0 + 5, T=T0 + 5)
        _, log = read(tmp_path, [quoted, trade(10, 1), trade(11, 2, E=T0 - 1), trade(12, 3)])
        assert refused(log) == [(Anomaly.TIME_BACKWARDS, 3)]


class TestLines:
    def test_malformed_line(self, tmp_path: Path) -> None:
        """A line that does not parse is named, the others are read."""
        at = T0 * MS + 2 * MS
        lines = [trade(1, 1), b"%d {" % at, b"garbage", b"%d []" % at, trade(4, 2)]
        tables, log = read(tmp_path, lines)
        assert refused(log) == [(Anomaly.MALFORMED, 2), (Anomaly.MALFORMED, 3), (Anomaly.MALFORMED, 4)]
        assert tables[Kind.TRADES].num_rows == 2

    def test_missing_field(self, tmp_path: Path) -> None:
        """The field is named."""
        payload = {"e": "trade", "E": T0, "s": "BTCUSDT", "t": 1, "p": "1", "m": True}
        _, log = read(tmp_path, [line(1, payload, "btcusdt@trade")])
        assert refused(log) == [(Anomaly.MALFORMED, 1)]
        assert "'q'" in log.refused[0].message

    @pytest.mark.parametrize("changes", [{"t": 2**63}, {"t": -1}, {"p": 10}, {"q": None}])
    def test_fields_of_another_type(self, tmp_path: Path, changes: dict[str, Any]) -> None:
        """Numbers for texts, and ids that no column holds, are MALFORMED."""
        _, log = read(tmp_path, [trade(1, 1), trade(2, 2, **changes)])
        assert refused(log) == [(Anomaly.MALFORMED, 2)]

    def test_stream_name_that_is_no_text(self, tmp_path: Path) -> None:
        """An object for a name is MALFORMED."""
        _, log = read(tmp_path, [trade(1, 1), b'%d {"stream":{},"data":{}}' % (T0 * MS + 2 * MS)])
        assert refused(log) == [(Anomaly.MALFORMED, 2)]

    def test_cut_last_line(self, tmp_path: Path) -> None:
        """A file that ends inside a line is TRUNCATED."""
        path = tmp_path / "capture"
        path.write_bytes(trade(1, 1) + b"\n" + trade(2, 2)[:-9])
        tables, log = read_files(USDM, [path])
        assert refused(log) == [(Anomaly.TRUNCATED, 2)]
        assert tables[Kind.TRADES].num_rows == 1

    def test_cut_gzip(self, tmp_path: Path) -> None:
        """A gzip that ends too early is TRUNCATED after what could be read."""
        path = tmp_path / "capture.gz"
        path.write_bytes(gzip.compress(b"\n".join(trade(i, i) for i in range(1, 5_000)))[:-2_000])
        tables, log = read_files(USDM, [path])
        assert [a.kind for a in log.refused] == [Anomaly.TRUNCATED]
        assert 0 < tables[Kind.TRADES].num_rows < 5_000

    def test_other_symbols_are_skipped(self, tmp_path: Path) -> None:
        """A capture of several symbols gives the one that was asked for."""
        other = line(1, {"e": "trade", "s": "ETHUSDT"}, "ethusdt@trade")
        tables, log = read(tmp_path, [other, trade(2, 1), other])
        assert refused(log) == [(Anomaly.TIME_BACKWARDS, 3)]
        assert tables[Kind.TRADES].num_rows == 1
        assert "skipped: 1 frames of other symbols" in told(log)

    def test_only_other_symbols(self, tmp_path: Path) -> None:
        """Nothing of the symbol at all is a mistake, not an empty market."""
        _, log = read(tmp_path, [line(1, {"e": "trade", "s": "ETHUSDT"}, "ethusdt@trade")])
        assert refused(log) == [(Anomaly.WRONG_SYMBOL, None)]
        assert "only ETHUSDT" in log.refused[0].message

    def test_nameless_snapshot_among_several_symbols(self, tmp_path: Path) -> None:
        """A REST reply does not say whose book it is."""
        other = line(1, {"e": "trade", "s": "ETHUSDT"}, "ethusdt@trade")
        _, log = read(tmp_path, [other, snapshot(2, 5), trade(3, 1)])
        assert refused(log) == [(Anomaly.WRONG_SYMBOL, 2)]

    def test_empty_file(self, tmp_path: Path) -> None:
        """No rows is MALFORMED."""
        path = tmp_path / "capture"
        path.touch()
        _, log = read_files(USDM, [path])
        assert refused(log) == [(Anomaly.MALFORMED, None)]

    def test_reading_stops_after_too_many_findings(self, tmp_path: Path) -> None:
        """The log's limit passes through."""
        with pytest.raises(IngestRefusedError):
            read(tmp_path, [b"garbage"] * 60)


class TestOptions:
    def test_market(self) -> None:
        """Spot and futures are venues of their own."""
        assert SPOT.market.instrument_id == "BTCUSDT.BINANCE_SPOT"
        assert USDM.market.instrument_id == "BTCUSDT-PERP.BINANCE"

    def test_unknown_options(self) -> None:
        """The value is named."""
        with pytest.raises(ValueError, match="'coinm'"):
            BinanceCapture("coinm", "BTCUSD_PERP")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="'fills'"):
            BinanceCapture("usdm", "BTCUSDT", trades="fills")  # type: ignore[arg-type]


STREAM = [
    diff(1, 1, 5, 0),
    trade(2, 1),
    diff(3, 6, 9, 5),
    quote(4, E=T0, T=T0),
    snapshot(5, 8),
    mark(6),
    diff(7, 10, 12, 9),
    trade(8, 2),
    snapshot(9, 11),
    mark(10),
    diff(11, 13, 15, 12),
    trade(12, 3),
    snapshot(13, 20),
    diff(14, 16, 19, 15),
    diff(15, 20, 22, 19),
]


@settings(deadline=None, max_examples=40)
@given(st.sets(st.integers(1, len(STREAM) - 1), max_size=4))
def test_any_split_into_files_gives_the_same_rows(tmp_path_factory: pytest.TempPathFactory, cuts: set[int]) -> None:
    """All state goes over the boundary of files; only the line numbers are the file's own."""
    folder = tmp_path_factory.mktemp("split")
    whole, _ = read(folder, STREAM)
    bounds = [0, *sorted(cuts), len(STREAM)]
    files = []
    for start, end in pairwise(bounds):
        path = folder / f"{start:02}"
        path.write_bytes(b"\n".join(STREAM[start:end]))
        files.append(path)
    parts, log = read_files(USDM, files)
    assert not log.refused
    for kind in Kind:
        assert parts[kind].drop_columns("line").equals(whole[kind].drop_columns("line"))


@needs_captures
@pytest.mark.parametrize(
    ("reader", "names", "counts"),
    [
        (USDM, ["usdm_btcusdt_20240718.gz", "usdm_btcusdt_20240719.gz"], (9_022, 52_260, 10_701, 0)),
        (
            BinanceCapture("usdm", "ETHUSDT"),
            ["usdm_ethusdt_20240718.gz", "usdm_ethusdt_20240719.gz"],
            (8_929, 47_328, 13_655, 0),
        ),
        (USDM, ["usdm_btcusdt_20230404.dat.gz", "usdm_btcusdt_20230405.dat.gz"], (16_110, 44_205, 12_935, 514)),
        (SPOT, ["spot_btcusdt_20230405.dat.gz"], (3_929, 8_015, 3_144, 0)),
    ],
    ids=["usdm btc 2024", "usdm eth 2024", "usdm btc 2023", "spot btc 2023"],
)
def test_real_captures(reader: BinanceCapture, names: list[str], counts: tuple[int, int, int, int]) -> None:
    """Every diff, quote, trade and mark of the captures is a row or is counted, in order, without a refused finding."""
    diffs, quotes, trades, marks = counts
    tables, log = read_files(reader, [CAPTURES / name for name in names])
    log.raise_if_refused()
    assert tables[Kind.QUOTES].num_rows == quotes
    assert tables[Kind.MARKS].num_rows == marks
    skipped = {
        a.message.partition(" ")[2]: int(a.message.partition(" ")[0])
        for a in log.tolerated
        if a.kind is Anomaly.SKIPPED
    }
    assert tables[Kind.TRADES].num_rows == trades
    without_taker = "trades without a public taker (insurance fund, ADL): kept, with no aggressor side"
    assert skipped.pop(without_taker, 0) == np.count_nonzero(np.asarray(tables[Kind.TRADES]["aggressor_side"]) == 0)
    book = tables[Kind.BOOK]
    emitted = int(np.count_nonzero(np.asarray(book["flags"]) & F_LAST))
    lone_or_snapshot = int(np.count_nonzero(np.asarray(book["action"]) == CLEAR))
    assert lone_or_snapshot == 1
    assert emitted - lone_or_snapshot + skipped.pop("diffs older than the snapshot", 0) == diffs
    assert not skipped
    assert log.counts[Anomaly.UNSEEDED_BOOK] == (reader is SPOT)
    for kind in (Kind.BOOK, Kind.QUOTES, Kind.TRADES):
        assert (np.diff(np.asarray(tables[kind]["ts_init"])) >= 0).all()


@needs_captures
def test_real_clock_skew_of_2024() -> None:
    """The recorder was 1.5 s behind, as measured on these files by others."""
    _, log = read_files(USDM, [CAPTURES / "usdm_btcusdt_20240718.gz"])
    (skew,) = [a.message for a in log.tolerated if a.kind is Anomaly.CLOCK_SKEW]
    assert "median -1521 ms" in skew
    assert "min -152" in skew
