"""Small catalogs made by hand, and one of the built-in market for whole runs."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from catalog.instruments import Definition
from catalog.markets import Market, MarketKind
from catalog.sample_market import write_sample_market
from catalog.store import Catalog
from catalog.tables import (
    ADD,
    ASK,
    BID,
    BUYER,
    CLEAR,
    DELETE,
    F_LAST,
    F_SNAPSHOT,
    NO_SIDE,
    SCHEMAS,
    SELLER,
    UPDATE,
    Chunk,
    Kind,
)
from tests.backtests.recorded import CAPTURES, ingest_capture

T0 = 1_700_000_000_000_000_000
"""A whole minute; times of hand-made events are microseconds after it, which is how finely the catalog tells them."""
US = 1_000
RESULTS = frozenset(
    f"{name}.parquet" for name in ("trades", "passed", "halts", "snapshots", "latencies", "funding")
) | {"summary.json", "report.html"}
"""What a run writes."""
TENTHS = Definition("BTC", "USDT", price_tick=Decimal("0.1"), size_step=Decimal("0.001"))

type Level = tuple[str, str]  # price, size
type Frame = tuple[int, str, Sequence[Level], Sequence[Level]]  # microsecond, "snapshot" or "diff", bids, asks


def ns(microsecond: int) -> int:
    return T0 + microsecond * US


def chunk(kind: Kind, columns: dict[str, Sequence[Any]], microseconds: Sequence[int]) -> Chunk:
    """A chunk of `columns` at `microseconds`; texts become exact decimals."""
    schema, times = SCHEMAS[kind], [ns(us) for us in microseconds]
    values = {"ts_event": times, "ts_init": times, "line": list(range(1, len(times) + 1))} | columns
    arrays = [
        pa.array(list(values[f.name]), pa.string()).cast(f.type)
        if pa.types.is_decimal(f.type)
        else pa.array(list(values[f.name]), f.type)
        for f in schema
    ]
    return Chunk(kind, pa.Table.from_arrays(arrays, schema=schema), "by hand")


def trades(microseconds: Sequence[int], sides: Sequence[int] = (), price: str = "100.0", size: str = "1") -> Chunk:
    """Prints numbered from 0, of buyers unless said otherwise."""
    count = len(microseconds)
    columns = {"price": [price] * count, "size": [size] * count, "trade_id": [str(k) for k in range(count)]}
    return chunk(Kind.TRADES, columns | {"aggressor_side": sides or [BUYER] * count}, microseconds)


def book(frames: Sequence[Frame]) -> Chunk:
    """Frames of a book; in a "diff" a size of 0 deletes the level."""
    rows: list[dict[str, Any]] = []
    for number, (us, what, bids, asks) in enumerate(frames, 1):
        snapshot = what == "snapshot"
        levels = [(CLEAR, NO_SIDE, "0", "0")] if snapshot else []
        for side, side_levels in ((BID, bids), (ASK, asks)):
            levels += [(ADD if snapshot else UPDATE if Decimal(z) else DELETE, side, p, z) for p, z in side_levels]
        for k, (action, side, price, size) in enumerate(levels):
            flags = (F_SNAPSHOT if snapshot else 0) | (F_LAST if k == len(levels) - 1 else 0)
            row = {"action": action, "side": side, "price": price, "size": size, "flags": flags}
            rows.append(row | {"sequence": number, "line": number, "us": us})
    columns = {name: [row[name] for row in rows] for name in rows[0] if name != "us"}
    return chunk(Kind.BOOK, columns, [row["us"] for row in rows])


def random_book(seed: int, count: int, first_us: int = 0) -> list[Frame]:
    """A snapshot every 40 frames, between them diffs that add, change and delete levels; times now and then equal."""
    rng = np.random.default_rng(seed)
    frames: list[Frame] = []
    us = first_us
    for k in range(count):
        us += int(rng.integers(1, 50))
        if k % 40 == 0:
            sides: list[dict[int, int]] = [{}, {}]
        changes: list[list[Level]] = [[], []]
        for side, sign in ((0, -1), (1, 1)):
            for distance in sorted({int(d) for d in rng.integers(1, 30, size=4)}):
                tick = 1_000 + sign * distance
                size = int(rng.integers(0, 5))
                if size == 0 and tick not in sides[side]:
                    continue
                if size == 0:
                    del sides[side][tick]
                else:
                    sides[side][tick] = size
                changes[side].append((f"{tick / 10:.1f}", f"{size / 1000:.3f}"))
        if k % 40 == 0:
            changes = [[(f"{t / 10:.1f}", f"{z / 1000:.3f}") for t, z in side.items()] for side in sides]
        if changes[0] or changes[1] or k % 40 == 0:
            frames.append((us, "snapshot" if k % 40 == 0 else "diff", *changes))
    return frames


def write_catalog(
    root: Path,
    series: dict[Market, Sequence[Chunk]],
    definitions: dict[Market, Definition] | None = None,
    unseeded_books: Sequence[str] = (),
) -> Catalog:
    """A catalog of hand-made chunks; BTC in USDT with ticks of 0.1 unless `definitions` says otherwise."""
    catalog = Catalog(root)
    with catalog.transaction() as transaction:
        for market, chunks in series.items():
            for one in chunks:
                transaction.append(market, one)
        transaction.commit(
            {market: (definitions or {}).get(market, TENTHS) for market in series},
            {
                "format": "by hand",
                "options": {},
                "files": [],
                "counts": {},
                "anomalies": [],
                "unseeded_books": list(unseeded_books),
                "definition": "metadata",
            },
        )
    return catalog


def ticking(seed: int, first_s: int, last_s: int, *, reports: bool = False) -> list[Chunk]:
    """Four frames of a book and four prints a second between two seconds after T0, drawn by a seed.

    With `reports` there are marks, funding and open interest too.
    """
    rng = np.random.default_rng(seed)
    quarters = range(first_s * 1_000_000, last_s * 1_000_000, 250_000)
    seconds = range(first_s * 1_000_000 + 600_000, last_s * 1_000_000, 1_000_000)
    frames = random_book(seed, len(quarters))
    prints = {
        "price": [f"{100 + tick / 10:.1f}" for tick in rng.integers(-5, 6, len(quarters))],
        "size": [f"{size / 1000:.3f}" for size in rng.integers(1, 3_000, len(quarters))],
        "trade_id": [str(k) for k in range(len(quarters))],
        "aggressor_side": rng.integers(BUYER, SELLER + 1, len(quarters)).tolist(),
    }
    chunks = [
        book([(us, *frame[1:]) for us, frame in zip(quarters, frames, strict=False)]),
        chunk(Kind.TRADES, prints, [us + 100_000 for us in quarters]),
    ]
    if reports:
        count = len(seconds)
        marks = [f"{100 + tick / 1000:.3f}" for tick in rng.integers(-200, 201, count)]
        funding = {"rate": ["0.0001"], "interval_minutes": [480], "next_funding_ns": [ns(last_s * 10_000_000)]}
        chunks += [
            chunk(Kind.MARKS, {"value": marks}, seconds),
            chunk(Kind.FUNDING, funding, seconds[:1]),
            chunk(Kind.OPEN_INTEREST, {"value": [str(5_000 + k) for k in range(count)]}, seconds),
        ]
    return chunks


def alternating(count: int) -> list[int]:
    """Taker sides, buyer and seller in turn."""
    return [BUYER if k % 2 == 0 else SELLER for k in range(count)]


LIVELY = """
[replay]
seed = 7

[venues.BINANCE]
maker_fee = 0.00002
taker_fee = 0.00005

[flow]
imbalance_window = 4
warm_samples = 2
flow_seconds = [2, 4]
surge_bucket_seconds = 1
surge_span_buckets = 2
whale_window = 100
bar_seconds = 5
ema_bars = [2, 4]
rsi_bars = 4
atr_bars = 4

[scalper]
cooldown_seconds = 10

[scalper.candidates]
min_probability = 0.57
horizon_seconds = 20

[scalper.candidates.stop]
min_bps = 1

[guards.consecutive_losses]
enabled = false

[guards.spread]
max_bps = 50
"""
"""A profile that is warm within seconds and trades all the time, at fees that let it."""


@pytest.fixture(scope="session")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the :data:`LIVELY` profile."""
    path = tmp_path_factory.mktemp("profiles") / "lively.toml"
    path.write_text(LIVELY)
    return path


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some minutes of the built-in market: one asset on all venues."""
    root = tmp_path_factory.mktemp("sample") / "market"
    write_sample_market(root, seed=7, hours=0.15, assets=1)
    return root


MIDNIGHT_S = 6_400
"""The UTC midnight after T0, in seconds after it."""


@pytest.fixture(scope="session")
def midnight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute around midnight: BTC as a perp of two venues and on spot, ETH as a perp."""
    root, (first, last) = tmp_path_factory.mktemp("midnight") / "market", (MIDNIGHT_S - 30, MIDNIGHT_S + 30)
    btc, eth = (Market("BINANCE", MarketKind.PERP, f"{base}USDT") for base in ("BTC", "ETH"))
    write_catalog(
        root,
        {
            btc: ticking(1, first, last, reports=True),
            Market("BYBIT", MarketKind.PERP, "BTCUSDT"): ticking(2, first, last, reports=True),
            Market("BINANCE_SPOT", MarketKind.SPOT, "BTCUSDT"): ticking(3, first, last),
            eth: ticking(4, first, last, reports=True),
        },
        {eth: replace(TENTHS, base="ETH")},
    )
    return root


@pytest.fixture(scope="session")
def catalogs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Catalog]:
    """Each capture in a catalog of its own."""
    made = {}
    for name, capture in CAPTURES.items():
        root = tmp_path_factory.mktemp(name) / "catalog"
        ingest_capture(root, capture)
        made[name] = Catalog(root)
    return made
