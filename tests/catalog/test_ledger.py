"""The book-keeping beside a catalog."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.ledger import LEDGER, CatalogError, IngestEntry, Ledger, SeriesEntry, SourceFile, fingerprint

SERIES = SeriesEntry(
    "BTCUSDT-PERP.BINANCE", "trade_tick", "data/trade_tick/x.parquet", rows=2, first_ns=100, last_ns=200, digest="bb"
)
FILE = SourceFile("a.gz", 3, "aa")
ENTRY = IngestEntry(
    format="binance-capture",
    options={"instrument_id": "BTCUSDT-PERP.BINANCE", "on_gap": "refuse"},
    files=[FILE],
    series=[SERIES],
    counts={"skipped": 1},
    anomalies=[{"kind": "skipped", "file": "a.gz", "line": None, "message": "1 frames", "ts": None}],
    unseeded_books=["BTCUSDT-PERP.BINANCE"],
    definition="inferred",
)


def test_a_ledger_reads_back_as_it_was(tmp_path: Path) -> None:
    """Every field survives the file."""
    ledger = Ledger(ingests=[ENTRY], slots={"BTCUSDT-PERP.BINANCE|trade_tick": 1})
    (tmp_path / LEDGER).write_text(ledger.to_json())
    assert Ledger.load(tmp_path) == ledger


def test_no_ledger_is_an_empty_one(tmp_path: Path) -> None:
    """A catalog begins without book-keeping."""
    assert Ledger.load(tmp_path) == Ledger()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "damaged"),
        ("{}", "damaged"),
        ('{"version": 1, "slots": {}, "ingests": [{"format": "x"}]}', "damaged"),
        ('{"version": 1, "slots": {}, "ingests": []}', "version 1 is not 2: ingest anew"),
    ],
)
def test_a_damaged_or_foreign_ledger_is_named(tmp_path: Path, text: str, message: str) -> None:
    """The error has the path, what is wrong, and what to do; nothing is guessed."""
    (tmp_path / LEDGER).write_text(text)
    with pytest.raises(CatalogError, match=message) as error:
        Ledger.load(tmp_path)
    assert str(tmp_path / LEDGER) in str(error.value)


def test_a_slot_belongs_to_its_series_for_good() -> None:
    """1, 2, 3 in the order of asking, the same when asked again; 0 is nobody's."""
    ledger = Ledger()
    assert [ledger.slot("A", "trade_tick"), ledger.slot("A", "quote_tick"), ledger.slot("B", "trade_tick")] == [1, 2, 3]
    assert ledger.slot("A", "quote_tick") == 2


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["bar", "trade_tick"])), max_size=12))
def test_slots_are_distinct_and_survive_reloading(asked: list[tuple[str, str]]) -> None:
    """Whatever the order of asking, no two series share a slot and none changes over a reload."""
    ledger = Ledger()
    given_out = {key: ledger.slot(*key) for key in asked}
    assert len(set(given_out.values())) == len(given_out)
    assert all(1 <= slot <= 999 for slot in given_out.values())
    again = Ledger(slots=json.loads(ledger.to_json())["slots"])
    assert {key: again.slot(*key) for key in reversed(asked)} == given_out


def test_a_full_catalog_takes_no_thousandth_series() -> None:
    """999 slots; the next series is refused by name."""
    ledger = Ledger()
    assert {ledger.slot(str(n), "bar") for n in range(999)} == set(range(1, 1000))
    with pytest.raises(CatalogError, match=r"999 series and no time slot left for 999\|bar: start another catalog"):
        ledger.slot("999", "bar")


@pytest.mark.parametrize(
    ("first", "last", "overlaps"),
    [(0, 99, False), (0, 100, True), (120, 130, True), (0, 300, True), (200, 300, True), (201, 300, False)],
)
def test_spans_are_inclusive(first: int, last: int, overlaps: bool) -> None:
    """A span from 100 to 200 holds both ends."""
    ledger = Ledger(ingests=[ENTRY])
    assert ledger.overlapping(SERIES.instrument_id, "trade_tick", first, last) == (SERIES if overlaps else None)


def test_other_series_do_not_overlap() -> None:
    """Another type, or another instrument, of the same span is another series."""
    ledger = Ledger(ingests=[ENTRY])
    assert ledger.overlapping(SERIES.instrument_id, "quote_tick", 100, 200) is None
    assert ledger.overlapping("ETHUSDT-PERP.BINANCE", "trade_tick", 100, 200) is None


def test_an_ingest_is_known_by_content_format_and_instrument() -> None:
    """A new name changes nothing; other content, order, format or instrument is another ingest."""
    ledger = Ledger(ingests=[ENTRY])
    renamed, other = SourceFile("b.gz", 3, "aa"), SourceFile("a.gz", 3, "bb")
    instrument = "BTCUSDT-PERP.BINANCE"
    assert ledger.find(instrument, [renamed], "binance-capture") is ENTRY
    assert ledger.find(instrument, [other], "binance-capture") is None
    assert ledger.find(instrument, [FILE, other], "binance-capture") is None
    assert ledger.find(instrument, [FILE], "binance-trades") is None
    assert ledger.find("BTCUSDT.BINANCE_SPOT", [FILE], "binance-capture") is None


def test_a_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    """Name, size in bytes, and the 16-byte BLAKE2b of what is in it."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"1,2\n")
    digest = hashlib.blake2b(b"1,2\n", digest_size=16).hexdigest()
    assert fingerprint(path) == SourceFile("a.csv", 4, digest)
