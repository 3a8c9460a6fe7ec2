"""From source files to a catalog: read, check, define, store."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.anomalies import Anomaly, AnomalyLog, IngestRefusedError, OnGap, Progress
from catalog.anomalies import Kind as Found
from catalog.formats.binance_capture import BinanceCapture
from catalog.instruments import Definition, InstrumentMetadataError, Source
from catalog.ledger import CatalogError
from catalog.markets import Market
from catalog.pipeline import IngestResult, ingest, reader_options
from catalog.steps import GivenSteps, InferredSteps
from catalog.store import Catalog
from catalog.tables import CLEAR, Chunk, Kind
from tests.catalog.hand_made import (
    HALVES,
    MS,
    PERP,
    SPOT,
    T0_MS,
    bars,
    book,
    contents,
    diff_line,
    funding,
    marks,
    open_interest,
    quotes,
    snapshot_line,
    sound_capture,
    trade_line,
    trades,
    write_gz,
)

USDM = BinanceCapture("usdm", "BTCUSDT")
NO_PROGRESS: Progress = lambda *_: None  # noqa: E731  # a def would need the protocol spelt out again


@dataclass(frozen=True)
class HandReader:
    """Yields chunks that it was made with, whatever the files."""

    chunks: tuple[Chunk, ...]
    market: Market = PERP

    def read(self, files: Sequence[Path], log: AnomalyLog, progress: Progress) -> Iterator[Chunk]:
        yield from self.chunks


def take(root: Path, lines: list[str], name: str = "a.gz", on_gap: OnGap = OnGap.REFUSE) -> IngestResult:
    source = write_gz(root.parent / "captures" / name, lines)
    return ingest(root, "binance-capture", USDM, [source], on_gap=on_gap)


def take_chunks(root: Path, *chunks: Chunk, market: Market = PERP, instruments: Path | None = None) -> IngestResult:
    """An ingest of chunks; the file is new each time, so that no ingest is known already."""
    source = root.parent / f"{len(list(root.parent.iterdir()))}.csv"
    source.write_text(str(source))
    return ingest(root, "hand", HandReader(chunks, market), [source], instruments=instruments)


def metadata(folder: Path, tick: str, step: str) -> Path:
    path = folder / "exchangeInfo.json"
    price, lot = {"filterType": "PRICE_FILTER", "tickSize": tick}, {"filterType": "LOT_SIZE", "stepSize": step}
    entry = {"symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT"}
    filters = [price, lot | {"minQty": step, "maxQty": "1000"}]
    path.write_text(json.dumps({"symbols": [entry | {"filters": filters}]}))
    return path


class TestRepeating:
    def test_the_same_files_again_change_nothing(self, tmp_path: Path) -> None:
        """Every file of the catalog keeps its bytes, under the same and under another name."""
        root = tmp_path / "catalog"
        first = take(root, sound_capture())
        before = contents(root)
        assert not first.already
        for name in ("a.gz", "renamed.gz"):
            again = take(root, sound_capture(), name)
            assert again.already
            assert again.entry == first.entry
            assert contents(root) == before

    def test_two_catalogs_of_one_capture_are_equal(self, tmp_path: Path) -> None:
        """Nothing depends on the run: no times of writing, no random names."""
        one, two = tmp_path / "one", tmp_path / "two"
        take(one, sound_capture())
        take(two, sound_capture())
        assert contents(one) == contents(two)

    def test_other_content_of_the_same_span_is_refused(self, tmp_path: Path) -> None:
        """One trade more is another file, and its span is taken; the catalog keeps its bytes."""
        root = tmp_path / "catalog"
        take(root, sound_capture())
        before = contents(root)
        with pytest.raises(CatalogError, match=r"overlaps .* that the catalog has from a.gz"):
            take(root, [*sound_capture(), trade_line(5, 3, "100.5", "0.002")], "b.gz")
        assert contents(root) == before


class TestRefusing:
    @pytest.mark.parametrize("exists", [False, True])
    def test_a_refused_ingest_leaves_no_trace(self, tmp_path: Path, exists: bool) -> None:
        """A gap at line 3 of the second file: file and line are named, and the catalog is as it was, or is not."""
        root = tmp_path / "catalog"
        if exists:
            take(root, sound_capture())
        before = contents(root)
        later = [
            snapshot_line(1_000, 50, [("100", "1")], [("101", "1")]),
            trade_line(1_001, 9, "100.5", "0.002"),
            diff_line(1_002, (60, 61, 62), bids=[("100", "2")]),
        ]
        with pytest.raises(IngestRefusedError, match=r"b\.gz:3: gap: updates are missing") as error:
            take(root, later, "b.gz")
        assert [(a.kind, a.line) for a in error.value.anomalies] == [(Found.GAP, 3)]
        assert contents(root) == before
        assert root.exists() == exists

    def test_a_crossed_book_is_refused_at_its_line(self, tmp_path: Path) -> None:
        """A bid at 101 over asks from 100.5 in line 2; trades of later lines are judged all the same."""
        lines = sound_capture()
        lines[1] = diff_line(1, (5, 6, 7), bids=[("101.0", "1")])
        lines.append(trade_line(5, 2, "100.5", "0.002"))
        with pytest.raises(IngestRefusedError) as error:
            take(tmp_path / "catalog", lines)
        assert {str(a).partition(" after")[0] for a in error.value.anomalies} == {
            "a.gz:2: crossed_book: best bid 101.0 is not below best ask 100.5",
            "a.gz:6: duplicate: trade id 2 comes",
        }

    def test_no_rows_of_the_symbol(self, tmp_path: Path) -> None:
        """A reader that finds nothing is a wrong symbol or market, and no empty catalog is made."""
        empty = Chunk(Kind.TRADES, trades([1]).table.slice(0, 0), "a")
        with pytest.raises(CatalogError, match="no rows for BTCUSDT: wrong --symbol or --market"):
            take_chunks(tmp_path / "catalog", empty)
        assert not (tmp_path / "catalog").exists()

    def test_missing_files_are_all_named(self, tmp_path: Path) -> None:
        """Before anything is read; a folder is no file."""
        there = write_gz(tmp_path / "a.gz", sound_capture())
        with pytest.raises(CatalogError) as error:
            ingest(tmp_path / "catalog", "binance-capture", USDM, [tmp_path / "x.gz", there, tmp_path])
        assert str(error.value) == f"no such file: {tmp_path / 'x.gz'}, {tmp_path}"
        with pytest.raises(CatalogError, match="none given"):
            ingest(tmp_path / "catalog", "binance-capture", USDM, [])

    def test_values_beyond_nautilus_are_refused(self, tmp_path: Path) -> None:
        """Its reader ends the process on a stored size of 1e14, so no such row is stored; the limit itself is fine."""
        limits = trades([1000, 2000], ["17014118346046", "100"], ["1", "34028236692093"])
        take_chunks(tmp_path / "catalog", limits)
        assert len(Catalog(tmp_path / "catalog").nautilus.trade_ticks()) == 2
        beyond = trades([3000, 4000], ["17014118346047", "100"], ["1", "100000000000000"])
        with pytest.raises(IngestRefusedError) as error:
            take_chunks(tmp_path / "catalog", beyond, marks([3000], ["20000000000000"]))
        assert [(a.kind, a.line, a.message.split(" is ")[0]) for a in error.value.anomalies] == [
            (Found.BAD_VALUE, 1, "price 17014118346047"),
            (Found.BAD_VALUE, 2, "size 100000000000000"),
            (Found.BAD_VALUE, 1, "value 20000000000000"),
        ]


class TestResync:
    def test_a_gap_clears_the_book_until_the_next_snapshot(self, tmp_path: Path) -> None:
        """CLEAR at the gap, nothing of the diffs after it, the whole book from line 5 on, and the gap in the ledger."""
        lines = [
            snapshot_line(0, 5, [("100", "1")], [("100.5", "1")]),
            diff_line(1, (5, 6, 7), bids=[("99.5", "1")]),
            diff_line(2, (8, 9, 10), bids=[("99", "1")]),
            diff_line(3, (10, 11, 12), bids=[("98.5", "1")]),
            snapshot_line(4, 20, [("100", "3")], [("101", "3")]),
            diff_line(5, (20, 21, 22), asks=[("101", "4")]),
        ]
        with pytest.raises(IngestRefusedError):
            take(tmp_path / "catalog", lines)
        entry = take(tmp_path / "catalog", lines, on_gap=OnGap.RESYNC).entry
        assert entry.counts[Found.GAP] == 1
        (gap,) = [a for a in entry.anomalies if a["kind"] == "gap"]
        assert (gap["file"], gap["line"]) == ("a.gz", 3)
        deltas = Catalog(tmp_path / "catalog").nautilus.order_book_deltas()
        ms = [((d.ts_init - T0_MS * MS) // MS, d.is_clear, d.order.size.as_decimal()) for d in deltas]
        assert ms == [
            (0, True, 0),
            (0, False, 1),
            (0, False, 1),
            (1, False, 1),
            (2, True, 0),
            (4, True, 0),
            (4, False, 3),
            (4, False, 3),
            (5, False, 4),
        ]

    def test_a_crossed_frame_is_replaced(self, tmp_path: Path) -> None:
        """The catalog never holds a crossed book: a CLEAR stands for the frame that crossed it."""
        lines = sound_capture()
        lines[1] = diff_line(1, (5, 6, 7), bids=[("101.0", "1")])
        entry = take(tmp_path / "catalog", lines, on_gap=OnGap.RESYNC).entry
        assert entry.counts[Found.CROSSED_BOOK] == 1
        deltas = Catalog(tmp_path / "catalog").nautilus.order_book_deltas()
        assert [int(d.action) for d in deltas] == [CLEAR, 1, 1, 1, CLEAR]


class TestStream:
    def test_two_files_are_one_stream(self, tmp_path: Path) -> None:
        """The book of the first file goes on in the second, which has no snapshot; both are in the ledger."""
        root, captures = tmp_path / "catalog", tmp_path / "captures"
        second = [diff_line(10, (7, 8, 9), asks=[("101", "2")]), trade_line(11, 3, "100.5", "0.004")]
        files = [write_gz(captures / "1.gz", sound_capture()), write_gz(captures / "2.gz", second)]
        entry = ingest(root, "binance-capture", USDM, files).entry
        assert [f.name for f in entry.files] == ["1.gz", "2.gz"]
        assert {s.kind: s.rows for s in entry.series} == {
            "order_book_deltas": 6,
            "trade_tick": 3,
            "mark_price_update": 1,
            "funding_rate_update": 1,
        }
        assert entry.unseeded_books == []
        assert [t.trade_id.value for t in Catalog(root).nautilus.trade_ticks()] == ["1", "2", "3"]

    def test_a_book_without_a_snapshot_is_said_to_be_one(self, tmp_path: Path) -> None:
        """Diffs alone are taken, and the ledger names the instrument."""
        entry = take(tmp_path / "catalog", [diff_line(1, (5, 6, 7), [("99.5", "0.004")], [("101", "1")])]).entry
        assert entry.unseeded_books == ["BTCUSDT-PERP.BINANCE"]
        assert entry.counts == {"unseeded_book": 1}

    def test_progress_and_options_are_passed_on(self, tmp_path: Path) -> None:
        """Progress ends at each file's size; the ledger keeps what the reader was made with."""
        source = write_gz(tmp_path / "a.gz", sound_capture())
        seen: list[tuple[str, int, int]] = []
        entry = ingest(
            tmp_path / "catalog", "binance-capture", USDM, [source], progress=lambda *step: seen.append(step)
        ).entry
        assert seen[-1] == ("a.gz", source.stat().st_size, source.stat().st_size)
        assert entry.options == {"instrument_id": PERP.instrument_id, **reader_options(USDM), "on_gap": "refuse"}
        assert reader_options(USDM)["symbol"] == "BTCUSDT"

    def test_a_long_list_of_findings_is_cut_and_counted(self, tmp_path: Path) -> None:
        """300 jumps of trade ids: 200 are listed, all are counted."""
        lines = [trade_line(n, 2 * n, "100.5", "0.002") for n in range(1, 302)]
        entry = take(tmp_path / "catalog", lines).entry
        assert entry.counts == {"id_jump": 300}
        assert len(entry.anomalies) == 200


class TestInference:
    def test_tick_and_step_come_from_the_data(self, tmp_path: Path) -> None:
        """Prices of the book and the trades lie on 0.5, sizes on 0.002; the mark does not count; it says inferred."""
        result = take(tmp_path / "catalog", sound_capture())
        assert result.entry.definition == "inferred"
        expected = Definition("BTC", "USDT", Decimal("0.5"), Decimal("0.002"), source=Source.INFERRED)
        assert Catalog(tmp_path / "catalog").definition(PERP) == expected

    @pytest.mark.parametrize(
        ("prices", "sizes", "tick", "step"),
        [
            (["63940", "63945", "63960"], ["1", "2"], "5", "1"),
            (["10", "30"], ["0.25", "1"], "10", "0.25"),  # 20 apart, but a tick of 20 has no 10
            (["0.00001234", "0.00001235"], ["1000", "3000"], "0.00000001", "100"),  # a step of at most 100
            (["100.5", "100"], ["0.3", "0.7"], "0.5", "0.1"),
        ],
    )
    def test_the_coarsest_steps_that_hold_all(self, prices: list[str], sizes: list[str], tick: str, step: str) -> None:
        """Multiples of the tick from zero on, above and below one."""
        steps = InferredSteps(PERP)
        for time, (price, size) in enumerate(zip(prices, sizes + sizes[-1:], strict=False)):
            steps.check(trades([time + 1], [price], [size]))
        assert (steps.definition().price_tick, steps.definition().size_step) == (Decimal(tick), Decimal(step))

    @given(st.integers(1, 10**6), st.integers(0, 8), st.lists(st.integers(1, 10**6), min_size=1, max_size=8), st.data())
    def test_data_on_a_grid_is_on_the_inferred_one(
        self, tick: int, places: int, counts: list[int], data: st.DataObject
    ) -> None:
        """The inferred tick is the greatest that divides every price and 100, in any chunking."""
        prices = [Decimal(tick * count).scaleb(-places) for count in counts]
        cut = data.draw(st.integers(0, len(prices)))
        steps = InferredSteps(PERP)
        for part in (prices[:cut], prices[cut:]):
            if part:
                steps.check(trades(list(range(len(part))), [f"{price:f}" for price in part]))
        found = steps.definition().price_tick
        common = math.gcd(*(tick * count for count in counts), 100 * 10**places)
        assert found == Decimal(common).scaleb(-places)

    def test_quotes_and_books_count_too(self) -> None:
        """A level of the book on 0.25 refines the tick of quotes on 0.5; a CLEAR's zeros change nothing."""
        steps = InferredSteps(PERP)
        steps.check(quotes([1], [("100", "100.5", "2", "4")]))
        assert steps.definition().price_tick == Decimal("0.5")
        steps.check(book([("snapshot", [("99.25", "6")], [])]))
        assert (steps.definition().price_tick, steps.definition().size_step) == (Decimal("0.25"), Decimal(2))

    @pytest.mark.parametrize("chunk", [funding([1000]), open_interest([1000]), marks([1000])])
    def test_data_without_prices_and_sizes_defines_nothing(self, tmp_path: Path, chunk: Chunk) -> None:
        """The error asks for metadata or for trades first; with those in the catalog it is stored."""
        root = tmp_path / "catalog"
        with pytest.raises(InstrumentMetadataError, match="give --instruments, or ingest its trades or book first"):
            take_chunks(root, chunk)
        assert not root.exists()
        take_chunks(root, trades([1000]))
        take_chunks(root, chunk)
        assert len(Catalog(root).ledger.ingests) == 2

    def test_a_symbol_without_a_known_quote_needs_metadata(self) -> None:
        """Tick and step are known, base and quote are not."""
        steps = InferredSteps(Market("BINANCE", PERP.kind, "BTCXYZ"))
        steps.check(trades([1]))
        with pytest.raises(InstrumentMetadataError, match="give --instruments"):
            steps.definition()

    def test_more_digits_than_an_int64_holds(self) -> None:
        """1000000000.0000000001 has 20 digits: they all count."""
        steps = InferredSteps(PERP)
        steps.check(trades([1], ["1000000000.0000000001"]))
        assert steps.definition().price_tick == Decimal("0.0000000001")


class TestGiven:
    def test_metadata_defines_the_instrument(self, tmp_path: Path) -> None:
        """Its tick stands although the data would do with a coarser one, and is kept for later ingests."""
        root = tmp_path / "catalog"
        result = take_chunks(root, trades([1000]), instruments=metadata(tmp_path, "0.10", "0.001"))
        assert result.entry.definition == "metadata"
        stored = Catalog(root).definition(PERP)
        assert stored is not None
        assert (stored.price_tick, stored.size_step) == (Decimal("0.1"), Decimal("0.001"))
        later = take_chunks(root, trades([2000], ["100.1"]))
        assert later.entry.definition == "metadata"

    def test_an_off_tick_price_is_refused_with_its_line(self, tmp_path: Path) -> None:
        """The error has value, tick, and where the tick is from; all of them at once."""
        chunk = trades([1000, 2000, 3000], ["100.5", "100.3", "100.25"], ["0.001", "0.002", "0.0015"])
        with pytest.raises(IngestRefusedError) as error:
            take_chunks(tmp_path / "catalog", chunk, instruments=metadata(tmp_path, "0.5", "0.001"))
        why = "metadata of another time or market?"
        assert [str(a) for a in error.value.anomalies] == [
            f"hand.csv:2: bad_value: price 100.3 is not a multiple of tick 0.5 (metadata): {why}",
            f"hand.csv:3: bad_value: price 100.25 is not a multiple of tick 0.5 (metadata): {why}",
            f"hand.csv:3: bad_value: size 0.0015 is not a multiple of step 0.001 (metadata): {why}",
        ]
        assert not (tmp_path / "catalog").exists()

    def test_a_later_ingest_is_held_against_what_was_inferred(self, tmp_path: Path) -> None:
        """A finer price than the first file showed is told to be off the inferred tick."""
        root = tmp_path / "catalog"
        take_chunks(root, trades([1000], ["100.5"]))
        message = r"price 100.1 is not a multiple of tick 0.5 \(inferred\): .* a new catalog with --instruments"
        with pytest.raises(IngestRefusedError, match=message):
            take_chunks(root, trades([2000], ["100.1"]))

    def test_other_metadata_than_the_catalogs_is_refused(self, tmp_path: Path) -> None:
        """Both definitions are shown."""
        root = tmp_path / "catalog"
        take_chunks(root, trades([1000]), instruments=metadata(tmp_path, "0.5", "0.001"))
        with pytest.raises(CatalogError, match=r"with tick 0.5.*this ingest has tick 0.1"):
            take_chunks(root, trades([2000]), instruments=metadata(tmp_path, "0.1", "0.001"))

    def test_metadata_without_the_symbol_stops_the_ingest(self, tmp_path: Path) -> None:
        """Before anything is read or made."""
        path = metadata(tmp_path, "1", "1")
        path.write_text(path.read_text().replace("BTCUSDT", "ETHUSDT"))
        with pytest.raises(InstrumentMetadataError, match="'BTCUSDT' is not in it"):
            take_chunks(tmp_path / "catalog", trades([1000]), instruments=path)
        assert not (tmp_path / "catalog").exists()

    @pytest.mark.parametrize(
        ("tick", "price", "fits"),
        [
            ("5", "63945", True),
            ("5", "63942", False),
            ("5", "63945.5", False),
            ("0.5", "100.5", True),
            ("0.5", "100.55", False),
            ("0.01", "0.07", True),
            ("1E+2", "63900", True),
            ("1E+2", "63950", False),
            ("0.00000001", "12345678901.00000001", True),  # nineteen digits: no int64
            ("0.00000005", "12345678901.00000001", False),
        ],
    )
    def test_multiples_are_exact(self, tick: str, price: str, fits: bool) -> None:
        """No double is asked whether 0.07 is a multiple of 0.01."""
        log = AnomalyLog()
        steps = GivenSteps(Definition("BTC", "USDT", Decimal(tick), Decimal("0.001")), log)
        steps.check(trades([1], [price]))
        assert [a.kind for a in log.refused] == ([] if fits else [Found.BAD_VALUE])

    def test_every_price_and_size_of_a_quote_is_held(self) -> None:
        """Four columns, four findings; marks, which are means, are on no tick."""
        log = AnomalyLog()
        steps = GivenSteps(HALVES, log)
        steps.check(quotes([1], [("100.1", "100.6", "0.0001", "0.0002")]))
        steps.check(marks([1], ["100.12345678"]))
        names = ["bid_price", "ask_price", "bid_size", "ask_size"]
        assert [a.message.split()[0] for a in log.refused] == names

    def test_a_spot_market_beside_its_perp(self, tmp_path: Path) -> None:
        """Each has its own definition in one catalog."""
        root = tmp_path / "catalog"
        take_chunks(root, trades([1000], ["100.5"]))
        take_chunks(root, trades([1000], ["100.25"]), market=SPOT)
        ticks = [i.price_increment.as_decimal() for i in Catalog(root).instruments()]
        assert ticks == [Decimal("0.5"), Decimal("0.25")]


def test_findings_keep_their_file_when_told(tmp_path: Path) -> None:
    """The ledger's findings name file and line as the refusal would."""
    lines = [trade_line(0, 1, "100.5", "0.002"), trade_line(1, 5, "100.5", "0.002")]
    (told,) = take(tmp_path / "catalog", lines).entry.anomalies
    assert str(Anomaly(**(told | {"kind": Found(told["kind"])}))).startswith("a.gz:2: id_jump: 3 trade ids are missing")


def test_the_same_file_with_other_options_is_told_apart(tmp_path: Path) -> None:
    """A second ingest with another clock offset is not called done: it is refused, naming the option."""
    source = write_gz(tmp_path / "a.gz", sound_capture())
    root = tmp_path / "catalog"
    ingest(root, "binance-capture", BinanceCapture("usdm", "BTCUSDT"), [source])
    with pytest.raises(CatalogError, match=r"ingested before with other options \(clock_offset_ns 0\)"):
        ingest(root, "binance-capture", BinanceCapture("usdm", "BTCUSDT", clock_offset_ns=1_000), [source])


def test_bars_of_two_lengths_lie_side_by_side(tmp_path: Path) -> None:
    """Minute and hour bars of one span are two series with slots of their own, not an overlap."""
    root = tmp_path / "catalog"
    take_chunks(root, bars([3_600_000_000_000], 3_600))
    take_chunks(root, bars([3_540_000_000_000, 3_600_000_000_000], 60))
    ledger = Catalog(root).ledger
    assert [s.kind for s in ledger.series()] == ["bar 1-HOUR", "bar 1-MINUTE"]
    assert len(set(ledger.slots.values())) == 2
