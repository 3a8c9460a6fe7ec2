"""Small hand-made data for the tests of the catalog: captures, chunks, and a look at a folder's whole contents."""

import gzip
import hashlib
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from catalog.instruments import Definition
from catalog.markets import Market, MarketKind
from catalog.tables import (
    ADD,
    ASK,
    BID,
    BUYER,
    CLEAR,
    DECIMAL,
    DELETE,
    F_LAST,
    F_SNAPSHOT,
    NO_SIDE,
    SCHEMAS,
    UPDATE,
    Chunk,
    Kind,
)

T0_MS = 1_721_347_021_000  # 2024-07-18 23:57:01
MS = 1_000_000

PERP = Market("BINANCE", MarketKind.PERP, "BTCUSDT")
SPOT = Market("BINANCE_SPOT", MarketKind.SPOT, "BTCUSDT")
HALVES = Definition("BTC", "USDT", price_tick=Decimal("0.5"), size_step=Decimal("0.001"))

type Level = tuple[str, str]  # price, size


def capture_line(ms: int, payload: dict[str, Any], stream: str | None = None) -> str:
    """A line of a capture of BTCUSDT perps, received `ms` after T0."""
    frame = payload if stream is None else {"stream": f"btcusdt@{stream}", "data": payload}
    return f"{(T0_MS + ms) * MS} {json.dumps(frame)}"


def snapshot_line(ms: int, last: int, bids: Sequence[Level], asks: Sequence[Level]) -> str:
    times = {"E": T0_MS + ms, "T": T0_MS + ms}
    return capture_line(ms, {"lastUpdateId": last, **times, "bids": bids, "asks": asks})


def diff_line(ms: int, ids: tuple[int, int, int], bids: Sequence[Level] = (), asks: Sequence[Level] = ()) -> str:
    """`ids` are the venue's pu, U and u."""
    previous, first, final = ids
    payload = {"e": "depthUpdate", "E": T0_MS + ms, "T": T0_MS + ms, "s": "BTCUSDT"}
    return capture_line(ms, payload | {"U": first, "u": final, "pu": previous, "b": bids, "a": asks}, "depth@0ms")


def trade_line(ms: int, number: int, price: str, size: str, *, buyer_is_maker: bool = False) -> str:
    payload = {"e": "trade", "E": T0_MS + ms, "T": T0_MS + ms, "s": "BTCUSDT", "t": number, "p": price, "q": size}
    return capture_line(ms, payload | {"X": "MARKET", "m": buyer_is_maker}, "trade")


def mark_line(ms: int, price: str) -> str:
    payload = {"e": "markPriceUpdate", "E": T0_MS + ms, "s": "BTCUSDT", "p": price, "r": "0.0001"}
    return capture_line(ms, payload | {"T": T0_MS + 3_600_000}, "markPrice@1s")


def sound_capture() -> list[str]:
    """Five lines: a book of tick 0.5 in two frames, two trades of step 0.002, a mark with its funding."""
    return [
        snapshot_line(0, 5, [("100.0", "2"), ("99.5", "1")], [("100.5", "3")]),
        diff_line(1, (5, 6, 7), bids=[("99.5", "0.004")]),
        trade_line(2, 1, "100.5", "0.006"),
        trade_line(3, 2, "100.0", "0.002", buyer_is_maker=True),
        mark_line(4, "100.12345678"),
    ]


def write_gz(path: Path, lines: Sequence[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))
    return path


def chunk(kind: Kind, columns: dict[str, Sequence[Any]], times: Sequence[int]) -> Chunk:
    """A chunk whose ts_event is its ts_init; lines count from 1 unless given."""
    values = {"ts_event": times, "ts_init": times, "line": range(1, len(times) + 1)} | columns
    arrays = [
        pa.array([Decimal(v) for v in values[f.name]] if f.type == DECIMAL else list(values[f.name]), f.type)
        for f in SCHEMAS[kind]
    ]
    return Chunk(kind, pa.Table.from_arrays(arrays, schema=SCHEMAS[kind]), "hand.csv")


def trades(times: Sequence[int], prices: Sequence[str] = (), sizes: Sequence[str] = ()) -> Chunk:
    count = len(times)
    columns = {
        "price": prices or ["100.5"] * count,
        "size": sizes or ["0.001"] * count,
        "aggressor_side": [BUYER] * count,
        "trade_id": [str(n) for n in range(count)],
    }
    return chunk(Kind.TRADES, columns, times)


def quotes(times: Sequence[int], rows: Sequence[tuple[str, str, str, str]] = ()) -> Chunk:
    """`rows` are bid price, ask price, bid size, ask size."""
    names = ("bid_price", "ask_price", "bid_size", "ask_size")
    values = rows or [("100", "100.5", "2", "3")] * len(times)
    return chunk(Kind.QUOTES, dict(zip(names, zip(*values, strict=True), strict=True)), times)


def marks(times: Sequence[int], values: Sequence[str] = ()) -> Chunk:
    return chunk(Kind.MARKS, {"value": values or ["100.25"] * len(times)}, times)


def open_interest(times: Sequence[int]) -> Chunk:
    return chunk(Kind.OPEN_INTEREST, {"value": ["12.5"] * len(times)}, times)


def funding(times: Sequence[int]) -> Chunk:
    """Every eight hours; the source does not say when next."""
    count = len(times)
    columns = {"rate": ["-0.00012"] * count, "interval_minutes": [480] * count, "next_funding_ns": [0] * count}
    return chunk(Kind.FUNDING, columns, times)


def bars(times: Sequence[int], step_seconds: int = 60) -> Chunk:
    """Bars of one length; a double cannot hold their volume."""
    row = {"step_seconds": step_seconds, "open": "100", "high": "101.5", "low": "99.5", "close": "100.5"}
    row |= {"volume": "20123456789012.004"}
    return chunk(Kind.BARS, {name: [value] * len(times) for name, value in row.items()}, times)


def book(frames: Sequence[tuple[str, Sequence[Level], Sequence[Level]]], step_ns: int = 1_000) -> Chunk:
    """Frames as ("snapshot" or "diff", bids, asks): the n-th has line n, sequence 10 n and time n * `step_ns`."""
    rows: list[dict[str, Any]] = []
    for number, (what, bids, asks) in enumerate(frames, 1):
        is_snapshot = what == "snapshot"
        levels = [(BID, *level) for level in bids] + [(ASK, *level) for level in asks]
        frame = [(CLEAR, NO_SIDE, "0", "0")] if is_snapshot else []
        frame += [(ADD if is_snapshot else UPDATE if Decimal(z) else DELETE, s, p, z) for s, p, z in levels]
        for left, (action, side, price, size) in zip(range(len(frame) - 1, -1, -1), frame, strict=True):
            flags = (F_SNAPSHOT if is_snapshot else 0) | (0 if left else F_LAST)
            row = {"action": action, "side": side, "price": price, "size": size, "flags": flags}
            rows.append(row | {"sequence": 10 * number, "line": number})
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return chunk(Kind.BOOK, columns, [step_ns * row["line"] for row in rows])


def contents(root: Path) -> dict[str, str]:
    """Everything below a folder by relative path: digests of files, "folder" for folders; empty if it is absent."""
    return {
        str(path.relative_to(root)): "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
    }
