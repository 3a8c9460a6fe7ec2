"""The flow of a built-in market without an engine, for tests that need hours of snapshots; and the truth of it."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from catalog.market_model import SampleMarket
from catalog.market_specs import MarketSpec
from catalog.market_truth import Truth
from catalog.tables import Kind
from indicators.kernel import kernel
from indicators.ladder import Ladder
from strategies.config import FlowSettings
from strategies.features import AssetFlow, FlowMarket
from strategies.flow.events import trade_at
from strategies.flow.groups import FEATURES
from strategies.ladder_view import LadderView

SECOND = 1_000_000_000

type Columns = tuple[npt.NDArray[np.generic], ...]


@dataclass
class Watched:
    """Snapshots (``ts``, ``asset``, features), the lead's tracked walls at every read, and what was planted."""

    snapshots: pd.DataFrame
    walls: pd.DataFrame  # ts, asset, side (bid, ask), price, persistence, ratio (size over the median level's)
    levels: pd.DataFrame  # what a naive rule calls a wall: ts, asset, side, price of summed levels 5 times the median
    truth: Truth


@dataclass
class _Stream:
    spec: MarketSpec
    number: int
    kinds: dict[Kind, list[Columns]] = field(default_factory=dict)
    ladder: Ladder = field(default_factory=Ladder)

    def __post_init__(self) -> None:
        self.view = LadderView(self.ladder, _places(self.spec.size_step))

    def columns(self, kind: Kind) -> Columns | None:
        parts = self.kinds.get(kind)
        return None if not parts else tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _places(step) -> int:
    return max(0, -int(step.as_tuple().exponent))


@kernel
def _trades(states, numbers, prices, sizes, sides, ts):
    for k in range(len(ts)):
        trade_at(states, numbers[k], prices[k], sizes[k], sides[k], ts[k])


def watch(market: SampleMarket, settings: FlowSettings) -> Watched:
    """Play the market through :class:`AssetFlow`, sampled as the actor does."""
    streams: dict[str, dict[str, _Stream]] = {}
    for spec in sorted(market.specs(), key=lambda s: (not s.is_perp, s.market.venue != "BINANCE")):
        own = streams.setdefault(spec.asset, {})
        own[spec.market.instrument_id] = _Stream(spec, len(own))
    truth = Truth()
    for spec, chunk in market.chunks(truth=truth):
        stream = streams[spec.asset][spec.market.instrument_id]
        stream.kinds.setdefault(chunk.kind, []).append(_columns(chunk.kind, chunk.table, spec))
    played = [_play(asset, list(own.values()), market, settings) for asset, own in streams.items()]
    return Watched(*(pd.concat([p[k] for p in played], ignore_index=True) for k in range(3)), truth)


def _columns(kind: Kind, table, spec: MarketSpec) -> Columns:
    ts = table["ts_init"].to_numpy()

    def doubles(name: str):
        return table[name].cast(pa.float64()).to_numpy()

    match kind:
        case Kind.TRADES:
            return ts, doubles("price"), doubles("size"), table["aggressor_side"].to_numpy().astype(np.int64)
        case Kind.BOOK:
            codes = (table[name].to_numpy().astype(np.int64) for name in ("action", "side"))
            price = np.rint(doubles("price") * 10.0 ** _places(spec.price_tick)).astype(np.int64)
            size = np.rint(doubles("size") * 10.0 ** _places(spec.size_step))
            return ts, *codes, price, size, np.zeros(len(ts), np.int64)
        case Kind.FUNDING:
            return ts, doubles("rate"), table["next_funding_ns"].to_numpy()
        case _:
            return ts, doubles("value")


def _play(asset: str, streams: list[_Stream], market: SampleMarket, settings: FlowSettings) -> list[pd.DataFrame]:
    flow = AssetFlow(
        asset,
        [
            FlowMarket(
                s.spec.market.instrument_id,
                is_perp=s.spec.is_perp,
                price_places=_places(s.spec.price_tick),
                size_places=_places(s.spec.size_step),
                multiplier=float(s.spec.multiplier),
                has_book=s.spec.has_book,
            )
            for s in streams
        ],
        settings,
    )
    samples = np.arange(market.start_ns, market.end_ns + 1, settings.sample_seconds * SECOND)
    trades = _merged(streams)
    ends = np.searchsorted(trades[-1], samples, side="right")
    books = [(s, s.columns(Kind.BOOK)) for s in streams]
    booked = [(s, c, np.searchsorted(c[0], samples, side="right")) for s, c in books if c is not None]
    reports = sorted(_reports(streams), key=lambda report: report[0])
    rows, walls, naive = [], [], []
    done = reported = 0
    unit = 10.0 ** -_places(streams[0].spec.price_tick)
    for k, ts in enumerate(samples.tolist()):
        while reported < len(reports) and reports[reported][0] <= ts:
            at, name, number, *values = reports[reported]
            getattr(flow, name)(number, *values, at)
            reported += 1
        _trades(flow._states, *(column[done : ends[k]] for column in trades))
        done = ends[k]
        for s, columns, bounds in booked:
            start = bounds[k - 1] if k else 0
            if bounds[k] > start:
                s.ladder.apply_rows(*(c[start : bounds[k]] for c in columns[1:]))
            flow.on_book(s.number, s.view, ts)
        flow.on_sample(ts)
        if ts % (settings.levels_seconds * SECOND) == 0:
            _note_walls(flow, asset, ts, unit, walls, naive)
        if ts % (settings.scan_seconds * SECOND) == 0:
            snapshot = flow.snapshot(ts)
            if snapshot is not None:
                rows.append((ts, asset, *snapshot.values.tolist()))
    names = ["ts", "asset", *(f.name for f in FEATURES)]
    return [
        pd.DataFrame(rows, columns=names),
        pd.DataFrame(walls, columns=["ts", "asset", "side", "price", "persistence", "ratio"]),
        pd.DataFrame(naive, columns=["ts", "asset", "side", "price"]),
    ]


def _merged(streams: list[_Stream]) -> Columns:
    parts = [(s.number, s.columns(Kind.TRADES)) for s in streams]
    table = [(np.full(len(c[0]), number), c) for number, c in parts if c is not None]
    ts = np.concatenate([c[0] for _, c in table])
    order = np.argsort(ts, kind="stable")
    numbers = np.concatenate([n for n, _ in table])[order]
    price, size, side = (np.concatenate([c[k] for _, c in table])[order] for k in (1, 2, 3))
    return numbers, price, size, side, ts[order]


def _reports(streams: list[_Stream]):
    kinds = {Kind.MARKS: "on_mark", Kind.FUNDING: "on_funding", Kind.OPEN_INTEREST: "on_open_interest"}
    for s in streams:
        for kind, name in kinds.items():
            columns = s.columns(kind)
            if columns is not None:
                for row in zip(*(c.tolist() for c in columns), strict=True):
                    yield row[0], name, s.number, *row[1:]


def _note_walls(flow: AssetFlow, asset: str, ts: int, unit: float, walls: list, naive: list) -> None:
    liquidity = flow._states[0]["liquidity"]
    if liquidity["levels_ns"] != ts:
        return
    typical = liquidity["walls"]["sizes"]["typical"]
    for side, name, sign in ((0, "bid", 1), (1, "ask", -1)):
        for wall in liquidity["walls"]["sides"][side]["walls"]:
            if wall["status"] == 1 and wall["visible"] == 1:
                price = sign * wall["key"] * unit
                walls.append((ts, asset, name, price, float(wall["persistence"]), float(wall["resting"] / typical)))
        sizes, prices = liquidity["sizes"][side], liquidity["prices"][side]
        rested = sizes > 0
        large = prices[rested][sizes[rested] > 5.0 * np.median(sizes[rested])]
        naive += [(ts, asset, name, price * unit) for price in large]
