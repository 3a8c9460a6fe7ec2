"""All of an ingest or nothing, whatever ends it; and times that no two series share."""

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nautilus_trader.model.data import TradeTick

from catalog import store
from catalog.instruments import Definition, Source
from catalog.ledger import LEDGER, CatalogError, IngestEntry, Ledger, SourceFile
from catalog.markets import Market, MarketKind
from catalog.store import COMMIT, LOCK, STAGING, Catalog, Transaction, decimal_places
from catalog.tables import Chunk, Kind, decimals
from tests.catalog.hand_made import (
    HALVES,
    PERP,
    SPOT,
    bars,
    book,
    contents,
    funding,
    marks,
    open_interest,
    quotes,
    trades,
)

SECOND = 1_000_000_000


def entry(name: str = "a.csv") -> dict[str, Any]:
    return {
        "format": "hand",
        "options": {},
        "files": [SourceFile(name, 1, name)],
        "counts": {},
        "anomalies": [],
        "unseeded_books": [],
        "definition": "metadata",
    }


def write(
    root: Path, *chunks: Chunk, market: Market = PERP, definition: Definition = HALVES, name: str = "a.csv"
) -> IngestEntry:
    with Catalog(root).transaction() as transaction:
        for chunk in chunks:
            transaction.append(market, chunk)
        return transaction.commit({market: definition}, entry(name))


def dead_process() -> int:
    """The id of a process that was and is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


class TestAllOrNothing:
    def test_what_is_not_committed_leaves_no_trace(self, tmp_path: Path) -> None:
        """A catalog with data has the same files after a block without commit."""
        write(tmp_path, trades([SECOND]))
        before = contents(tmp_path)
        with Catalog(tmp_path).transaction() as transaction:
            transaction.append(PERP, trades([2 * SECOND]))
            assert transaction.rows() == 1
        assert contents(tmp_path) == before

    @pytest.mark.parametrize("fails", [False, True])
    def test_a_root_that_did_not_exist_does_not_exist_afterwards(self, tmp_path: Path, fails: bool) -> None:
        """Neither it nor the folders above it that were made for it, with and without an exception."""
        root = tmp_path / "made" / "for" / "it"
        ending = pytest.raises(ZeroDivisionError) if fails else nullcontext()
        with ending, Catalog(root).transaction() as transaction:
            transaction.append(PERP, trades([SECOND]))
            if fails:
                raise ZeroDivisionError
        assert contents(tmp_path) == {}

    def test_an_empty_root_that_was_there_stays(self, tmp_path: Path) -> None:
        """Only folders that the transaction made are removed."""
        with Catalog(tmp_path).transaction() as transaction:
            transaction.append(PERP, trades([SECOND]))
        assert tmp_path.exists()
        assert contents(tmp_path) == {}

    def test_an_exception_inside_the_block_passes_through_and_writes_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also when a row group has gone to the disk already; the next ingest is free to run."""
        monkeypatch.setattr(store, "ROW_GROUP", 1)
        write(tmp_path, trades([SECOND]))
        before = contents(tmp_path)
        with pytest.raises(ZeroDivisionError), Catalog(tmp_path).transaction() as transaction:
            self.fail_after_a_row_group(tmp_path, transaction)
        assert contents(tmp_path) == before
        write(tmp_path, trades([2 * SECOND]), name="b.csv")

    def fail_after_a_row_group(self, root: Path, transaction: Transaction) -> None:
        transaction.append(PERP, trades([2 * SECOND, 3 * SECOND]))
        assert any(path.suffix == ".partial" for path in root.rglob("*"))
        raise ZeroDivisionError

    def test_a_commit_moves_every_series_and_writes_the_ledger(self, tmp_path: Path) -> None:
        """Files, rows and spans are those of the ledger, nothing else lies about, and Nautilus reads the rows."""
        written = write(tmp_path, trades([SECOND, 2 * SECOND]), funding([SECOND]), bars([60 * SECOND]))
        assert Ledger.load(tmp_path).ingests == [written]
        assert [(s.kind, s.rows, s.first_ns, s.last_ns) for s in written.series] == [
            ("trade_tick", 2, SECOND + 1, 2 * SECOND + 1),
            ("funding_rate_update", 1, SECOND + 2, SECOND + 2),
            ("bar 1-MINUTE", 1, 60 * SECOND + 3, 60 * SECOND + 3),
        ]
        files = {path for path, what in contents(tmp_path).items() if what != "folder"}
        instrument = {path for path in files if "crypto_perpetual" in path}
        assert len(instrument) == 1
        assert files - instrument == {LEDGER, *(s.path for s in written.series)}
        catalog = Catalog(tmp_path)
        assert catalog.definition(PERP) == HALVES
        assert [tick.ts_event for tick in catalog.nautilus.trade_ticks()] == [SECOND, 2 * SECOND]
        assert [bar.volume.as_decimal() for bar in catalog.nautilus.bars()] == [Decimal("20123456789012.004")]

    def test_files_are_named_as_nautilus_names_them(self, tmp_path: Path) -> None:
        """Nautilus finds spans by file name: ours are its intervals."""
        write(tmp_path, trades([1_721_347_021_000_000_000, 1_721_347_021_000_000_000 + SECOND]))
        found = Catalog(tmp_path).nautilus.get_intervals(TradeTick, PERP.instrument_id)
        assert found == [(1_721_347_021_000_000_001, 1_721_347_022_000_000_001)]

    def test_empty_chunks_make_no_series(self, tmp_path: Path) -> None:
        """A chunk without rows takes neither a file nor a slot."""
        chunk = trades([SECOND])
        written = write(tmp_path, Chunk(Kind.TRADES, chunk.table.slice(0, 0), "a"), marks([SECOND]))
        assert [s.kind for s in written.series] == ["mark_price_update"]
        assert Ledger.load(tmp_path).slots == {f"{PERP.instrument_id}|mark_price_update": 1}


class TestCrash:
    def crash_while_moving(self, root: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
        """Write trades and marks, and lose the disk after `after` of the files have moved."""
        moved = 0
        replace = Path.replace

        def failing(source: Path, target: Path) -> Path:
            nonlocal moved
            if source.suffix == ".parquet":
                if moved == after:
                    raise OSError("the disk is gone")
                moved += 1
            return replace(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", failing)
            with pytest.raises(OSError, match="the disk is gone"):
                write(root, trades([SECOND]), marks([SECOND]))

    @pytest.mark.parametrize("after", [0, 1, 2])
    def test_after_the_decision_the_next_opening_finishes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
    ) -> None:
        """Whichever file was being moved, opening the catalog makes it what the ingest would have made."""
        whole, broken = tmp_path / "whole", tmp_path / "broken"
        write(whole, trades([SECOND]), marks([SECOND]))
        self.crash_while_moving(broken, monkeypatch, after)
        assert not (broken / LEDGER).exists()
        assert Catalog(broken).ledger == Ledger.load(whole)
        assert contents(broken) == contents(whole)

    def test_before_the_decision_the_next_opening_throws_it_away(self, tmp_path: Path) -> None:
        """A staging folder without commit.json is what a killed process left while it was reading."""
        write(tmp_path, trades([SECOND]))
        before = contents(tmp_path)
        staging = tmp_path / STAGING / "0123"
        (staging / "data").mkdir(parents=True)
        (staging / "x.partial").write_bytes(b"half")
        (staging / (COMMIT + ".new")).write_text('{"moves": [')
        (tmp_path / LOCK).write_text(str(dead_process()))
        Catalog(tmp_path)
        assert contents(tmp_path) == before

    def test_a_writer_that_dies_while_another_waits_is_not_lost(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A catalog that was open before the crash finishes it first: both ingests are in the ledger."""
        waiting = Catalog(tmp_path)
        self.crash_while_moving(tmp_path, monkeypatch, 1)
        with waiting.transaction() as transaction:
            transaction.append(PERP, trades([5 * SECOND]))
            transaction.commit({PERP: HALVES}, entry("b.csv"))
        assert [[f.name for f in i.files] for i in Catalog(tmp_path).ledger.ingests] == [["a.csv"], ["b.csv"]]
        assert len(waiting.nautilus.trade_ticks()) == 2

    def test_reading_leaves_a_writer_at_work_alone(self, tmp_path: Path) -> None:
        """Opening the catalog while another process stages into it neither finishes nor removes anything."""
        write(tmp_path, trades([SECOND]))
        staging = tmp_path / STAGING / "0123"
        staging.mkdir(parents=True)
        (staging / COMMIT).write_text(json.dumps({"moves": [], "ledger": {}}))
        (tmp_path / LOCK).write_text(str(os.getpid()))
        before = contents(tmp_path)
        assert len(Catalog(tmp_path).ledger.ingests) == 1
        assert contents(tmp_path) == before


class TestLock:
    def test_a_live_lock_refuses_and_names_its_process(self, tmp_path: Path) -> None:
        """A second writer is told whom to wait for, and the lock stays the first one's."""
        first, second = Catalog(tmp_path), Catalog(tmp_path)
        with first.transaction():
            message = f"is being written by process {os.getpid()}: wait for it to end"
            with pytest.raises(CatalogError, match=message), second.transaction():
                pass
            assert (tmp_path / LOCK).exists()
        assert not (tmp_path / LOCK).exists()

    def test_a_stale_lock_is_taken_over(self, tmp_path: Path) -> None:
        """The lock of a process that has died does not stop anybody."""
        (tmp_path / LOCK).write_text(str(dead_process()))
        write(tmp_path, trades([SECOND]))
        assert not (tmp_path / LOCK).exists()


class TestSpans:
    def test_an_overlap_is_refused_and_named(self, tmp_path: Path) -> None:
        """The error has the series, both spans, and the file that the catalog has it from."""
        write(tmp_path, trades([SECOND, 3 * SECOND]), name="first.csv")
        before = contents(tmp_path)
        with pytest.raises(CatalogError) as error:
            write(tmp_path, marks([2 * SECOND]), trades([2 * SECOND, 4 * SECOND]), name="second.csv")
        assert str(error.value).startswith(
            "BTCUSDT-PERP.BINANCE trade_tick: 1970-01-01T00-00-02-000000001Z to 1970-01-01T00-00-04-000000001Z "
            "overlaps 1970-01-01T00-00-01-000000001Z to 1970-01-01T00-00-03-000000001Z that the catalog has from "
            "first.csv: "
        )
        assert contents(tmp_path) == before

    def test_earlier_spans_are_accepted(self, tmp_path: Path) -> None:
        """Yesterday may be added after today, and everything reads back in order of time."""
        write(tmp_path, trades([5 * SECOND, 6 * SECOND]))
        write(tmp_path, trades([SECOND, 2 * SECOND]), name="b.csv")
        catalog = Catalog(tmp_path)
        assert [tick.ts_event // SECOND for tick in catalog.nautilus.trade_ticks()] == [1, 2, 5, 6]
        assert len(catalog.instruments()) == 1

    def test_times_that_step_back_are_refused_with_the_line(self, tmp_path: Path) -> None:
        """Within a chunk and from one to the next."""
        for chunks in ([trades([2000, 1000])], [trades([2000]), trades([1000])]):
            with pytest.raises(CatalogError, match="trade_tick: times step back near line 1: the source is not sorted"):
                write(tmp_path, *chunks)

    def test_steps_within_a_microsecond_are_no_steps_back(self, tmp_path: Path) -> None:
        """Times are stored to the microsecond, so 1,900 ns before 1,100 ns is one time."""
        write(tmp_path, trades([1_900, 1_100]))
        assert [tick.ts_init for tick in Catalog(tmp_path).nautilus.trade_ticks()] == [1_001, 1_001]


class TestTimes:
    def test_slots_stay_over_ingests(self, tmp_path: Path) -> None:
        """ts_init % 1000 tells the series apart, whatever order later ingests bring them in."""
        write(tmp_path, trades([SECOND]), quotes([SECOND]))
        write(tmp_path, marks([2 * SECOND]), quotes([2 * SECOND]), trades([2 * SECOND]), name="b.csv")
        write(tmp_path, trades([SECOND]), market=SPOT, name="c.csv")
        expected = {f"{PERP.instrument_id}|{kind}": n for n, kind in enumerate(("trade_tick", "quote_tick"), 1)}
        expected |= {f"{PERP.instrument_id}|mark_price_update": 3, f"{SPOT.instrument_id}|trade_tick": 4}
        assert Catalog(tmp_path).ledger.slots == expected
        for series in Catalog(tmp_path).ledger.series():
            assert series.first_ns % 1000 == expected[f"{series.instrument_id}|{series.kind}"]

    def test_a_refused_ingest_takes_no_slot(self, tmp_path: Path) -> None:
        """What was staged and dropped leaves the numbering as it was."""
        with Catalog(tmp_path).transaction() as transaction:
            transaction.append(PERP, quotes([SECOND]))
        write(tmp_path, trades([SECOND]))
        assert Catalog(tmp_path).ledger.slots == {f"{PERP.instrument_id}|trade_tick": 1}

    @settings(max_examples=12, deadline=None)
    @given(st.lists(st.integers(0, 5_000), min_size=1, max_size=6).map(sorted), st.randoms(use_true_random=False))
    def test_no_two_series_share_a_time(self, times: list[int], order: Any) -> None:
        """Equal input times get floor to microseconds plus the slot: never equal, never at a whole microsecond."""
        times = [SECOND + t for t in times]
        builders = [trades, quotes, marks, open_interest, funding, bars]
        order.shuffle(builders)
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write(root, *(build(times) for build in builders))
            write(root, *(build([t + SECOND for t in times]) for build in reversed(builders)), name="b.csv")
            write(root, trades(times), market=SPOT, name="c.csv")
            catalog = Catalog(root)
            stored: dict[tuple[str, str], list[int]] = defaultdict(list)
            for series in sorted(catalog.ledger.series(), key=lambda s: s.first_ns):
                column = pq.read_table(root / series.path, partitioning=None).column("ts_init")
                stored[series.instrument_id, series.kind] += column.to_pylist()
            assert len(stored) == 7
            for (instrument_id, kind), found in stored.items():
                slot = catalog.ledger.slots[f"{instrument_id}|{kind}"]
                later = [t + SECOND for t in times] if instrument_id == PERP.instrument_id else []
                assert found == [t - t % 1000 + slot for t in times + later]
                assert 1 <= slot <= 999
            every = [set(found) for found in stored.values()]
            assert len(set.union(*every)) == sum(map(len, every))


class TestDefinitions:
    @pytest.mark.parametrize("change", ["price_tick", "size_step", "multiplier"])
    def test_another_definition_of_the_same_instrument_is_refused(self, tmp_path: Path, change: str) -> None:
        """The error shows both, and where each comes from."""
        write(tmp_path, trades([SECOND]), definition=Definition("BTC", "USDT", Decimal("0.5"), Decimal("0.001")))
        before = contents(tmp_path)
        values = {"price_tick": Decimal("0.5"), "size_step": Decimal("0.001"), "multiplier": Decimal(1)}
        other = Definition("BTC", "USDT", **(values | {change: Decimal("0.25")}), source=Source.INFERRED)
        with pytest.raises(
            CatalogError, match=r"tick 0.5, step 0.001, multiplier 1 \(metadata\); .*0.25.*\(inferred\)"
        ):
            write(tmp_path, trades([2 * SECOND]), definition=other, name="b.csv")
        assert contents(tmp_path) == before

    @pytest.mark.parametrize(
        ("market", "definition"),
        [
            (PERP, Definition("BTC", "USDT", Decimal(5), Decimal(10), source=Source.INFERRED)),
            (SPOT, Definition("BTC", "USDT", Decimal("0.01"), Decimal("0.00001"), source=Source.BUILT_IN)),
            (
                Market("MEXC", MarketKind.PERP, "PEPE_USDT"),
                Definition("PEPE", "USDT", Decimal("1E-10"), Decimal(1), multiplier=Decimal(100_000)),
            ),
            (
                Market("BINANCE_COINM", MarketKind.PERP, "TRXUSD_PERP", inverse=True),
                Definition("TRX", "USD", Decimal("0.00001"), Decimal(1), multiplier=Decimal(10)),
            ),
        ],
    )
    def test_a_definition_reads_back_as_it_was(self, tmp_path: Path, market: Market, definition: Definition) -> None:
        """Ticks above and below one, contracts of many and of few base units, and the source of it all."""
        write(tmp_path, open_interest([SECOND]), market=market, definition=definition)
        assert Catalog(tmp_path).definition(market) == definition
        assert Catalog(tmp_path).definition(Market("BYBIT", MarketKind.PERP, "BTCUSDT")) is None

    def test_marks_have_their_own_places(self, tmp_path: Path) -> None:
        """A mark of eight decimals keeps them beside a tick of 0.5, and places grow over chunks."""
        write(tmp_path, marks([SECOND], ["100.5"]), marks([2 * SECOND], ["100.12345678"]))
        (path,) = (tmp_path / "data" / "mark_price_update").rglob("*.parquet")
        assert pq.read_metadata(path).metadata[b"price_precision"] == b"8"

    def test_decimal_places_of_a_column(self) -> None:
        """The fewest that hold every value, not below what is asked."""
        assert decimal_places(decimals(["100", "5.00"])) == 0
        assert decimal_places(decimals(["1.25", "0.5"])) == 2
        assert decimal_places(decimals(["1.25"]), at_least=4) == 4
        assert decimal_places(decimals(["0.0000000000000001"])) == 16


def test_books_of_large_frames_go_to_disk_in_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory holds one row group: chunks are joined to groups of that size, and the last one is what is left."""
    monkeypatch.setattr(store, "ROW_GROUP", 4)
    frames = [("snapshot", [("100", "1")], [("101", "1")])] + [("diff", [("100", str(n))], []) for n in range(1, 9)]
    table = book(frames).table  # 3 + 8 rows
    write(tmp_path, *(Chunk(Kind.BOOK, table.slice(k, 2), "a") for k in range(0, 11, 2)))
    (path,) = (tmp_path / "data" / "order_book_deltas").rglob("*.parquet")
    groups = pq.read_metadata(path)
    assert [groups.row_group(k).num_rows for k in range(groups.num_row_groups)] == [4, 4, 3]


def test_the_digest_is_of_the_content(tmp_path: Path) -> None:
    """The same data has the same digest wherever it lies; one price, one market or one tick makes another."""

    def made(name: str, price: str = "100.5", market: Market = PERP, definition: Definition = HALVES) -> str:
        write(tmp_path / name, marks([SECOND, 2 * SECOND], ["100.0", price]), market=market, definition=definition)
        return Catalog(tmp_path / name).digest()

    first = made("first")
    assert first == made("again") == Catalog(tmp_path / "first").digest()
    finer = Definition("BTC", "USDT", price_tick=Decimal("0.25"), size_step=Decimal("0.001"))
    others = [made("price", "101.0"), made("market", market=SPOT), made("tick", definition=finer)]
    write(tmp_path / "first", marks([3 * SECOND], ["100.0"]), name="b.csv")
    assert len({first, *others, Catalog(tmp_path / "first").digest()}) == 5


def test_a_file_that_was_cut_short_or_exchanged_changes_the_digest(tmp_path: Path) -> None:
    """The files themselves are looked at, not only the book-keeping."""
    write(tmp_path / "a", trades([SECOND]))
    write(tmp_path / "b", trades([SECOND, 2 * SECOND]))
    before = Catalog(tmp_path / "a").digest()
    (mine,), (other,) = ((tmp_path / n / "data" / "trade_tick").rglob("*.parquet") for n in ("a", "b"))
    mine.write_bytes(other.read_bytes())
    assert Catalog(tmp_path / "a").digest() != before
