"""One row a trade: what was seen at entry, what was planned and expected, what happened."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pyarrow as pa

from strategies.features import FlowSnapshot
from strategies.flow.groups import FEATURES

FORECAST = ("fee_in", "fee_out", "spread", "slippage", "funding", "total")
"""Parts of the forecast cost, as the candidate had them."""

TRADE_SCHEMA = pa.schema(
    [
        *((n, pa.string()) for n in ("trace_id", "asset", "instrument_id", "side", "model")),
        *((n, pa.float64()) for n in ("probability", "break_even", "expected_r")),
        *((n, pa.int64()) for n in ("decided_ns", "entry_ns", "exit_ns")),
        *((n, pa.float64()) for n in ("size", "planned_size", "mid", "entry_price", "exit_price", "stop")),
        ("targets", pa.string()),
        *((n, pa.float64()) for n in ("gross", "fees", "funding", "net", "r", "mae_r", "mfe_r")),
        *((f"forecast_{n}", pa.float64()) for n in FORECAST),
        *((n, pa.string()) for n in ("reason", "exits", "resting", "history")),
        *((f"at_entry_{f.name}", pa.float64()) for f in FEATURES),
    ]
)
"""Columns of the trade log: prices in quote per base, sizes in the venue's units, money in account currency, times in
UNIX ns. ``targets``, ``exits`` (every fill that closed, with what closed it), ``resting`` (stops and targets with the
time that they rested) and ``history`` (every command and its reason) are JSON."""


@dataclass(frozen=True)
class Fill:
    """A fill of one of a trade's orders: `side` +1 bought, size in the venue's units, fee in account currency."""

    order_id: str
    side: int
    size: Decimal
    price: Decimal
    fee: Decimal
    ts: int
    role: str  # entry, stop, target, close, or the venue


@dataclass(frozen=True)
class PlannedTarget:
    """A take-profit as it was planned: its share of the size, what it aims at, and the wall that it lies before."""

    price: Decimal
    share: Decimal
    source: str
    wall: Decimal | None = None


@dataclass
class RestingOrder:
    """A price at which a stop or target rested from `from_ns` to `to_ns` (UNIX ns; 0: to the end)."""

    role: str
    ref: str
    price: Decimal
    from_ns: int
    to_ns: int = 0


@dataclass
class Trade:
    """A trade from its setup to its end. Prices are quote per base; sizes are the venue's units; times UNIX ns."""

    trace_id: str  # also a tag of each of its orders
    asset: str
    instrument_id: str
    side: int  # 1 long, -1 short
    model: str
    probability: float  # of the target, as the model stated it
    break_even: float  # probability at which the trade would just pay its costs
    expected_r: float  # after costs
    setup: FlowSnapshot
    planned_size: Decimal
    mid: Decimal  # of the venue's book, at the decision
    stop: Decimal
    targets: tuple[PlannedTarget, ...]
    risk: Decimal  # distance from the mid at the decision to the stop
    multiplier: Decimal  # base units per unit of size
    decided_ns: int
    forecast: Mapping[str, float]  # cost of the planned size by part, account currency
    entry_ns: int = 0
    exit_ns: int = 0
    entered: Decimal = Decimal(0)
    exited: Decimal = Decimal(0)
    entry_value: Decimal = Decimal(0)  # sum of size × price
    exit_value: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)  # in account currency
    funding: Decimal = Decimal(0)  # in account currency: what was got, negative what was paid
    reason: str = ""  # why it was left
    worst: Decimal | None = None  # price on the way out that was seen while it was open
    best: Decimal | None = None
    fills: list[Fill] = field(default_factory=list)
    resting: list[RestingOrder] = field(default_factory=list)
    history: Sequence[tuple[int, str, str]] = ()  # time, what, why

    @property
    def venue(self) -> str:
        return self.instrument_id.rpartition(".")[2]

    @property
    def open_size(self) -> Decimal:
        return self.entered - self.exited

    @property
    def entry_price(self) -> Decimal | None:
        return self.entry_value / self.entered if self.entered else None

    @property
    def exit_price(self) -> Decimal | None:
        return self.exit_value / self.exited if self.exited else None

    @property
    def net(self) -> Decimal:
        """Profit after fees and funding, in account currency."""
        return self.gross - self.fees + self.funding

    @property
    def gross(self) -> Decimal:
        """Profit before fees of what was closed, in quote currency."""
        if not self.exited or self.entry_price is None:
            return Decimal(0)
        return self.side * (self.exit_value - self.entry_price * self.exited) * self.multiplier

    @property
    def mae(self) -> Decimal | None:
        """Maximum adverse excursion: how far the price went against the entry, quote per base, at least 0."""
        return self._excursion(self.worst, -1)

    @property
    def mfe(self) -> Decimal | None:
        """Maximum favourable excursion, quote per base, at least 0."""
        return self._excursion(self.best, 1)

    def _excursion(self, price: Decimal | None, sign: int) -> Decimal | None:
        if price is None or self.entry_price is None:
            return None
        return max(sign * self.side * (price - self.entry_price), Decimal(0))

    def fill(
        self, *, role: str, entry: bool, size: Decimal, price: Decimal, fee: Decimal, ts: int, order_id: str
    ) -> None:
        """Book one fill of the entry order, or of any exit."""
        if entry:
            self.entry_ns = self.entry_ns or ts
            self.entered += size
            self.entry_value += size * price
        else:
            self.exit_ns = ts
            self.exited += size
            self.exit_value += size * price
            self.see(price)
        self.fees += fee
        side = self.side if entry else -self.side
        self.fills.append(Fill(order_id=order_id, side=side, size=size, price=price, fee=fee, ts=ts, role=role))

    def see(self, price: Decimal) -> None:
        """Take a price at which the trade could be left, while it is open."""
        self.worst = price if self.worst is None else min(self.worst * self.side, price * self.side) * self.side
        self.best = price if self.best is None else max(self.best * self.side, price * self.side) * self.side

    def to_row(self) -> dict[str, Any]:
        """The row for Parquet: numbers as doubles, features as ``at_entry_<name>``."""
        net = self.net
        risked = self.risk * self.entered * self.multiplier
        row: dict[str, Any] = {
            "trace_id": self.trace_id,
            "asset": self.asset,
            "instrument_id": self.instrument_id,
            "side": "long" if self.side > 0 else "short",
            "model": self.model,
            "probability": self.probability,
            "break_even": self.break_even,
            "expected_r": self.expected_r,
            "decided_ns": self.decided_ns,
            "entry_ns": self.entry_ns,
            "exit_ns": self.exit_ns,
            "size": float(self.entered),
            "planned_size": float(self.planned_size),
            "mid": float(self.mid),
            "entry_price": _float(self.entry_price),
            "exit_price": _float(self.exit_price),
            "stop": float(self.stop),
            "targets": _json(
                {"price": t.price, "share": t.share, "source": t.source, "wall": t.wall} for t in self.targets
            ),
            "gross": float(self.gross),
            "fees": float(self.fees),
            "funding": float(self.funding),
            "net": float(net),
            "r": float(net / risked) if risked else None,
            "mae_r": _float(self.mae / self.risk if self.mae is not None else None),
            "mfe_r": _float(self.mfe / self.risk if self.mfe is not None else None),
        }
        row |= {f"forecast_{name}": self.forecast.get(name) for name in FORECAST}
        row |= {
            "reason": self.reason,
            "exits": _json(
                {"ts": f.ts, "what": f.role, "size": f.size, "price": f.price, "fee": f.fee}
                for f in self.fills
                if f.side != self.side
            ),
            "resting": _json(
                {"what": r.role, "ref": r.ref, "price": r.price, "from": r.from_ns, "to": r.to_ns or None}
                for r in self.resting
            ),
            "history": _json({"ts": ts, "what": what, "why": why} for ts, what, why in self.history),
        }
        return row | {f"at_entry_{f.name}": float(v) for f, v in zip(FEATURES, self.setup.values, strict=True)}


def _json(rows: Any) -> str:
    return json.dumps(list(rows), default=float)


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
