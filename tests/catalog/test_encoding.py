"""Our Arrow tables against Nautilus's own objects and its own writer."""

import tempfile
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nautilus_trader.core.data import Data
from nautilus_trader.model.data import (
    Bar,
    BarType,
    BookOrder,
    MarkPriceUpdate,
    OrderBookDelta,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.enums import AggressorSide, BookAction, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, TradeId
from nautilus_trader.model.objects import FIXED_PRECISION, PRICE_MAX, Price, Quantity
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from catalog import store
from catalog.data_types import OpenInterest
from catalog.encoding import STORED, bar_step, encode, raw_fixed, stored_units, units
from catalog.instruments import Definition, to_nautilus
from catalog.market_columns import decimals_from_units
from catalog.store import Catalog
from catalog.tables import DECIMAL, SCHEMAS, Chunk, Kind, decimals
from tests.catalog.hand_made import HALVES, PERP, bars, book, funding, marks, open_interest, quotes, trades

ID = InstrumentId.from_str(PERP.instrument_id)
ENTRY = {"format": "hand", "options": {}, "files": [], "counts": {}, "anomalies": [], "unseeded_books": []}

type Row = dict[str, Any]


def stored(root: Path, chunks: Sequence[Chunk], definition: Definition = HALVES) -> Catalog:
    catalog = Catalog(root)
    with catalog.transaction() as transaction:
        for chunk in chunks:
            transaction.append(PERP, chunk)
        transaction.commit({PERP: definition}, {**ENTRY, "definition": "metadata"})
    return catalog


def read(catalog: ParquetDataCatalog, kind: type[Data]) -> list[dict[str, Any]]:
    return [kind.to_dict(value) for value in catalog.query(kind, identifiers=[PERP.instrument_id])]


def trade(row: Row, price: Callable[[Decimal], Price], size: Callable[[Decimal], Quantity], ts: int) -> TradeTick:
    taker, number = AggressorSide(row["aggressor_side"]), TradeId(row["trade_id"])
    return TradeTick(ID, price(row["price"]), size(row["size"]), taker, number, row["ts_event"], ts)


def quote(row: Row, price: Callable[[Decimal], Price], size: Callable[[Decimal], Quantity], ts: int) -> QuoteTick:
    prices = price(row["bid_price"]), price(row["ask_price"])
    return QuoteTick(ID, *prices, size(row["bid_size"]), size(row["ask_size"]), row["ts_event"], ts)


def delta(row: Row, price: Callable[[Decimal], Price], size: Callable[[Decimal], Quantity], ts: int) -> OrderBookDelta:
    order = BookOrder(OrderSide(row["side"]), price(row["price"]), size(row["size"]), 0)
    action = BookAction(row["action"])
    return OrderBookDelta(ID, action, order, row["flags"], row["sequence"], row["ts_event"], ts)


OBJECTS = {Kind.TRADES: (TradeTick, trade), Kind.QUOTES: (QuoteTick, quote), Kind.BOOK: (OrderBookDelta, delta)}


@st.composite
def samples(draw: st.DrawFn) -> tuple[Definition, dict[Kind, Chunk]]:
    """A definition of any precisions, and rows of each kind whose values are on them, with up to 18 digits.

    Marks have at most 15: of more, Nautilus's own writer changes the last one.
    """
    price_places, size_places = draw(st.integers(0, FIXED_PRECISION)), draw(st.integers(0, FIXED_PRECISION))

    def texts(places: int, count: int, smallest: int = 1, digits: int = 18) -> list[str]:
        whole = st.integers(smallest, min(int(PRICE_MAX) * 10**places, 10**digits - 1))
        return [f"{Decimal(draw(whole)).scaleb(-places):f}" for _ in range(count)]

    count = draw(st.integers(1, 4))
    times = sorted(draw(st.lists(st.integers(1_000, 2**61), min_size=count, max_size=count)))
    columns = zip(*(texts(p, count) for p in (price_places, price_places, size_places, size_places)), strict=True)
    frame = list(zip(texts(price_places, count), texts(size_places, count), strict=True))
    changes = list(zip(texts(price_places, count), texts(size_places, count, smallest=0), strict=True))
    definition = Definition(
        "BTC", "USDT", price_tick=Decimal(1).scaleb(-price_places), size_step=Decimal(1).scaleb(-size_places)
    )
    return definition, {
        Kind.TRADES: trades(times, texts(price_places, count), texts(size_places, count)),
        Kind.QUOTES: quotes(times, list(columns)),
        Kind.BOOK: book([("snapshot", frame, frame), ("diff", changes, []), ("diff", [], changes)]),
        Kind.MARKS: marks(times, texts(draw(st.integers(0, FIXED_PRECISION)), count, digits=15)),
    }


@settings(max_examples=25, deadline=None)
@given(samples())
def test_tables_read_back_as_what_nautilus_writes(sample: tuple[Definition, dict[Kind, Chunk]]) -> None:
    """Trades, quotes, deltas and marks equal in every field those that Nautilus's writer stores from its objects."""
    definition, chunks = sample
    with tempfile.TemporaryDirectory() as folder:
        ours = stored(Path(folder) / "ours", list(chunks.values()), definition)
        slots = ours.ledger.slots
        theirs = ParquetDataCatalog(str(Path(folder) / "theirs"))
        theirs.write_data([to_nautilus(PERP, definition, 0)])

        def price(value: Decimal) -> Price:
            return Price.from_str(f"{value:.{definition.price_places}f}")

        def size(value: Decimal) -> Quantity:
            return Quantity.from_str(f"{value:.{definition.size_places}f}")

        for kind, (data_type, build) in OBJECTS.items():
            slot = slots[f"{PERP.instrument_id}|{kind}"]
            rows = chunks[kind].table.to_pylist()
            theirs.write_data([build(row, price, size, row["ts_init"] // 1000 * 1000 + slot) for row in rows])
            assert read(ours.nautilus, data_type) == read(theirs, data_type)
        slot = slots[f"{PERP.instrument_id}|{Kind.MARKS}"]
        rows = chunks[Kind.MARKS].table.to_pylist()
        places = max(0, *(-int(row["value"].normalize().as_tuple().exponent) for row in rows))
        values = [Price.from_str(f"{row['value']:.{places}f}") for row in rows]
        times = [(row["ts_event"], row["ts_init"] // 1000 * 1000 + slot) for row in rows]
        theirs.write_data([MarkPriceUpdate(ID, value, *ts) for value, ts in zip(values, times, strict=True)])
        assert read(ours.nautilus, MarkPriceUpdate) == read(theirs, MarkPriceUpdate)


def test_a_trade_by_hand(tmp_path: Path) -> None:
    """100.5 at three places of size comes back with the instrument's precisions, side, id and slotted time."""
    catalog = stored(tmp_path, [trades([1_721_347_021_000_123_999], ["100.5"], ["0.25"])])
    (tick,) = catalog.nautilus.trade_ticks()
    assert TradeTick.to_dict(tick) == {
        "type": "TradeTick",
        "instrument_id": "BTCUSDT-PERP.BINANCE",
        "price": "100.5",
        "size": "0.250",
        "aggressor_side": "BUYER",
        "trade_id": "0",
        "ts_event": 1_721_347_021_000_123_999,
        "ts_init": 1_721_347_021_000_123_001,
    }


def test_a_mark_of_sixteen_digits_is_exact(tmp_path: Path) -> None:
    """583427078980.6319 comes back as it is; through a double it would be .6320."""
    catalog = stored(tmp_path, [marks([1000], ["583427078980.6319"])])
    (found,) = catalog.nautilus.query(MarkPriceUpdate)
    assert str(found.value) == "583427078980.6319"


def test_the_order_of_a_frame_survives_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of one time stay as they came, also where a frame runs over many small row groups."""
    monkeypatch.setattr(store, "ROW_GROUP", 7)
    levels = [(str(100 - n / 2), "1") for n in range(40)]
    chunk = book([("snapshot", levels, [("100.5", "1")]), ("diff", levels[::-1], []), ("diff", levels[5:9], [])])
    catalog = stored(tmp_path, [Chunk(Kind.BOOK, chunk.table.slice(k, 5), "a") for k in range(0, 86, 5)])
    found = catalog.nautilus.order_book_deltas()
    assert [d.order.price.as_decimal() for d in found] == chunk.table["price"].to_pylist()
    assert [d.sequence for d in found] == chunk.table["sequence"].to_pylist()


def test_kinds_that_nautilus_writes_itself(tmp_path: Path) -> None:
    """Funding, open interest and bars come back as their objects; what a source does not say is None, not 0."""
    times = [60_000_000_000, 120_000_000_000]
    catalog = stored(tmp_path, [funding(times), open_interest(times), bars(times)])
    slots = {name.partition("|")[2].split()[0]: slot for name, slot in catalog.ledger.slots.items()}
    rates = catalog.nautilus.funding_rates()
    assert [
        (f.instrument_id, Decimal(f.rate), f.interval, f.next_funding_ns, f.ts_event, f.ts_init) for f in rates
    ] == [(ID, Decimal("-0.00012"), 480, None, t, t + slots[Kind.FUNDING]) for t in times]
    found = [custom.data for custom in catalog.nautilus.query(OpenInterest)]
    assert [(o.instrument_id, o.value, o.ts_event, o.ts_init - o.ts_event) for o in found] == [
        (ID, 12.5, t, slots[Kind.OPEN_INTEREST]) for t in times
    ]
    prices = [Price.from_str(text) for text in ("100.0", "101.5", "99.5", "100.5")]
    name, volume = BarType.from_str(f"{ID}-1-MINUTE-LAST-EXTERNAL"), Quantity.from_str("20123456789012.004")
    expected = [Bar(name, *prices, volume, t, t + slots[Kind.BARS]) for t in times]
    assert [Bar.to_dict(b) for b in catalog.nautilus.bars()] == [Bar.to_dict(b) for b in expected]


@given(st.lists(st.integers(-(10**18) + 1, 10**18 - 1), max_size=20), st.integers(0, FIXED_PRECISION), st.data())
def test_stored_units_undo_raw_fixed(whole: list[int], places: int, data: st.DataObject) -> None:
    """Integers of the last place survive the bytes that are stored, sliced and chunked in any way."""
    column = pa.chunked_array([decimals_from_units(np.array(whole, np.int64), places)], DECIMAL)
    cut = data.draw(st.integers(0, len(whole)))
    parts = pa.chunked_array([column.slice(0, cut).combine_chunks(), column.slice(cut).combine_chunks()])
    assert stored_units(raw_fixed(column), places).tolist() == whole
    assert stored_units(raw_fixed(column).slice(cut), places).tolist() == whole[cut:]
    assert stored_units(raw_fixed(parts), places).tolist() == whole
    assert units(column.slice(cut), places).tolist() == whole[cut:]


def test_raw_fixed_is_the_raw_of_nautilus() -> None:
    """The bytes of a value are the little-endian integer that a Price of the same value holds."""
    texts = ["0", "0.1", "63943.9", "-3.25", "12345678901.12345678"]
    raw = [int.from_bytes(value, "little", signed=True) for value in raw_fixed(decimals(texts)).to_pylist()]
    assert raw == [Price.from_str(text).raw for text in texts]


def test_values_with_too_many_places_raise() -> None:
    """A third decimal in a column of two is an error, never a rounding."""
    assert units(decimals(["1.25"]), 2).tolist() == [125]
    with pytest.raises(pa.ArrowInvalid):
        units(decimals(["1.25", "1.255"]), 2)
    with pytest.raises(pa.ArrowInvalid):
        stored_units(raw_fixed(decimals(["1.255"])), 2)
    with pytest.raises(pa.ArrowInvalid):
        raw_fixed(pa.array([Decimal(1).scaleb(-17)], pa.decimal128(38, 17)))


def test_units_that_an_int64_cannot_hold_raise() -> None:
    """Ten thousand in units of 10^-16 would wrap to another number."""
    with pytest.raises(pa.ArrowInvalid):
        units(decimals(["10000"]), 16)


def test_an_empty_table_encodes_to_an_empty_one() -> None:
    """No rows, all columns."""
    for kind, schema in STORED.items():
        assert encode(kind, SCHEMAS[kind].empty_table(), np.empty(0, np.int64)).equals(schema.empty_table())


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(1, "1-SECOND"), (90, "90-SECOND"), (60, "1-MINUTE"), (900, "15-MINUTE"), (14_400, "4-HOUR"), (604_800, "1-WEEK")],
)
def test_bar_lengths_in_nautilus_words(seconds: int, name: str) -> None:
    """The largest unit that divides the length, as BarType reads it."""
    assert bar_step(seconds) == name


def test_a_bar_without_a_length_raises() -> None:
    """Zero seconds is no bar."""
    with pytest.raises(ValueError, match="a bar of 0 seconds"):
        bar_step(0)
