"""The built-in market as a bad connection would have recorded it: gaps, resyncs, late snapshots, silences."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.encoding import units
from catalog.market_model import SampleMarket
from catalog.market_specs import MarketSpec
from catalog.sample_market import _definition
from catalog.store import Catalog
from catalog.tables import ADD, ASK, BID, CLEAR, DECIMAL, F_LAST, F_SNAPSHOT, NO_SIDE, SCHEMAS, Chunk, Kind
from indicators.ladder import Ladder

SECOND_NS = 1_000_000_000
PLACES = 8  # no price or size of the built-in market has more

type Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Damage:
    """A stretch of a market in which nothing arrived. Times are UNIX ns; the end is not part of it."""

    instrument_id: str
    kind: Kind
    what: str  # "gap": cleared at its beginning, "silence": the book stands still; both end with a snapshot
    start_ns: int
    end_ns: int


def damages(market: SampleMarket, rng: np.random.Generator) -> list[Damage]:
    """Something for every market: two gaps of the book, one with a late snapshot, a silence of it, and prints lost.

    One market loses the end of everything it has.
    """
    found: list[Damage] = []
    seconds = (market.end_ns - market.start_ns) // SECOND_NS

    def stretch(shortest: int, longest: int) -> tuple[int, int]:
        length = float(rng.uniform(shortest, longest))
        start = market.start_ns + round(float(rng.uniform(5, seconds - length)) * SECOND_NS)
        return start, start + round(length * SECOND_NS)

    specs = market.specs()
    for spec in specs:
        name = spec.market.instrument_id
        if spec.has_book:
            for what, shortest, longest in (("gap", 1, 3), ("gap", 12, 30), ("silence", 15, 40)):
                found.append(Damage(name, Kind.BOOK, what, *stretch(shortest, longest)))
        found.append(Damage(name, Kind.TRADES, "silence", *stretch(15, 60)))
        found.append(Damage(name, Kind.MARKS, "silence", *stretch(15, 60)))
    last = specs[int(rng.integers(len(specs)))].market.instrument_id
    middle = market.start_ns + seconds * SECOND_NS * 3 // 4
    found += [Damage(last, kind, "silence", middle, market.end_ns) for kind in (Kind.BOOK, Kind.TRADES, Kind.MARKS)]
    return found


def write_damaged_market(root: Path, *, seed: int, hours: float, assets: int = 1) -> tuple[Catalog, list[Damage]]:
    """A catalog of the built-in market with :func:`damages` done to it."""
    market = SampleMarket(seed=seed, hours=hours, assets=assets)
    planned = damages(market, np.random.default_rng(seed))
    series: dict[tuple[MarketSpec, Kind], list[pa.Table]] = {}
    for spec, chunk in market.chunks():
        series.setdefault((spec, chunk.kind), []).append(chunk.table)
    catalog = Catalog(root)
    with catalog.transaction() as transaction:
        for (spec, kind), tables in series.items():
            table = pa.concat_tables(tables)
            mine = [d for d in planned if (d.instrument_id, d.kind) == (spec.market.instrument_id, kind)]
            for damage in sorted(mine, key=lambda d: d.start_ns):
                table = _damaged_book(table, damage) if kind is Kind.BOOK else _without(table, damage)
            transaction.append(spec.market, Chunk(kind, table.combine_chunks(), "damaged"))
        entry = {"format": "damaged", "options": {}, "files": [], "counts": {}, "anomalies": []}
        transaction.commit(
            {spec.market: _definition(spec) for spec in market.specs()},
            entry | {"unseeded_books": [], "definition": "built in"},
        )
    return catalog, planned


def _without(table: pa.Table, damage: Damage) -> pa.Table:
    ts = _times(table)
    return table.filter(pa.array((ts < damage.start_ns) | (ts >= damage.end_ns)))


def _damaged_book(table: pa.Table, damage: Damage) -> pa.Table:
    """The rows outside of the stretch, with what a recorder writes that has lost those inside."""
    ts = _times(table)
    first, end = (int(np.searchsorted(ts, t, side="left")) for t in (damage.start_ns, damage.end_ns))
    if first == end:
        return table
    parts = [table.slice(0, first)]
    if damage.what == "gap":
        parts.append(_rows([(CLEAR, NO_SIDE, 0, 0)], table, first))
    if end < table.num_rows:
        ladder = Ladder()
        actions, sides = (table.column(n).to_numpy().astype(np.int64)[:end] for n in ("action", "side"))
        prices, sizes = (units(table.column(n), PLACES)[:end] for n in ("price", "size"))
        ladder.apply_rows(actions, sides, prices, sizes.astype(np.float64), np.zeros(end, np.int64))
        levels = [
            (ADD, side, int(price), int(size))
            for side in (BID, ASK)
            for price, size in zip(*ladder.levels(side), strict=True)
        ]
        # the snapshot has the state after the last lost frame and comes in its place
        parts.append(_rows([(CLEAR, NO_SIDE, 0, 0), *levels], table, end - 1))
    return pa.concat_tables([*parts, table.slice(end)])


def _rows(rows: list[tuple[int, int, int, int]], like: pa.Table, at: int) -> pa.Table:
    """A frame of (action, side, price, size), in units of 10^-PLACES, at the time of row `at`."""
    source = like.slice(at, 1).to_pylist()[0]
    flags = [F_SNAPSHOT] * (len(rows) - 1) + [F_SNAPSHOT | F_LAST]
    columns = {
        "action": [r[0] for r in rows],
        "side": [r[1] for r in rows],
        "price": _decimals([r[2] for r in rows]),
        "size": _decimals([r[3] for r in rows]),
        "flags": flags,
    }
    arrays = []
    for field in SCHEMAS[Kind.BOOK]:
        values = columns.get(field.name, [source[field.name]] * len(rows))
        arrays.append(values if isinstance(values, pa.Array) else pa.array(values, field.type))
    return pa.Table.from_arrays(arrays, schema=SCHEMAS[Kind.BOOK])


def _decimals(whole: list[int]) -> pa.Array:
    return pa.array([Decimal(value).scaleb(-PLACES) for value in whole], DECIMAL)


def _times(table: pa.Table) -> Ints:
    times: Ints = table.column("ts_init").to_numpy().astype(np.int64)
    return times
