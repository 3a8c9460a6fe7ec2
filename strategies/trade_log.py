"""One row a trade: what was seen at entry, what was planned, what happened."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pyarrow as pa

from strategies.features import FlowSnapshot
from strategies.flow.groups import FEATURES

TRADE_SCHEMA = pa.schema(
    [
        ("asset", pa.string()),
        ("instrument_id", pa.string()),
        ("side", pa.string()),
        ("score", pa.float64()),
        ("decided_ns", pa.int64()),
        ("entry_ns", pa.int64()),
        ("exit_ns", pa.int64()),
        *((n, pa.float64()) for n in ("size", "planned_size", "entry_price", "exit_price", "stop", "target")),
        *((n, pa.float64()) for n in ("gross", "fees", "funding", "net", "r")),
        ("reason", pa.string()),
        *((f"at_entry_{f.name}", pa.float64()) for f in FEATURES),
    ]
)
"""Columns of the trade log: prices in quote per base, sizes in the venue's units, money in account currency."""


@dataclass(frozen=True)
class Fill:
    """A fill of one of a trade's orders: `side` +1 bought, size in the venue's units, fee in account currency."""

    order_id: str
    side: int
    size: Decimal
    price: Decimal
    fee: Decimal
    ts: int


@dataclass
class Trade:
    """A trade from its setup to its end. Prices are quote per base; sizes are the venue's units; times UNIX ns."""

    asset: str
    instrument_id: str
    side: int  # 1 long, -1 short
    score: float
    setup: FlowSnapshot
    planned_size: Decimal
    stop: Decimal
    target: Decimal
    risk: Decimal  # distance from the price at decision to the stop
    multiplier: Decimal  # base units per unit of size
    decided_ns: int
    entry_ns: int = 0
    exit_ns: int = 0
    entered: Decimal = Decimal(0)
    exited: Decimal = Decimal(0)
    entry_value: Decimal = Decimal(0)  # sum of size × price
    exit_value: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)  # in account currency
    funding: Decimal = Decimal(0)  # in account currency: what was got, negative what was paid
    reason: str = ""  # of the exit
    fills: list[Fill] = field(default_factory=list)

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

    def fill(self, *, entry: bool, size: Decimal, price: Decimal, fee: Decimal, ts: int, order_id: str) -> None:
        """Book one fill of the entry order, or of any exit."""
        if entry:
            self.entry_ns = self.entry_ns or ts
            self.entered += size
            self.entry_value += size * price
        else:
            self.exit_ns = ts
            self.exited += size
            self.exit_value += size * price
        self.fees += fee
        side = self.side if entry else -self.side
        self.fills.append(Fill(order_id=order_id, side=side, size=size, price=price, fee=fee, ts=ts))

    @property
    def gross(self) -> Decimal:
        """Profit before fees of what was closed, in quote currency."""
        if not self.exited or self.entry_price is None:
            return Decimal(0)
        return self.side * (self.exit_value - self.entry_price * self.exited) * self.multiplier

    def to_row(self) -> dict[str, Any]:
        """The row for Parquet: numbers as doubles, features as ``at_entry_<name>``."""
        net = self.net
        risked = self.risk * self.entered * self.multiplier
        row: dict[str, Any] = {
            "asset": self.asset,
            "instrument_id": self.instrument_id,
            "side": "long" if self.side > 0 else "short",
            "score": self.score,
            "decided_ns": self.decided_ns,
            "entry_ns": self.entry_ns,
            "exit_ns": self.exit_ns,
            "size": float(self.entered),
            "planned_size": float(self.planned_size),
            "entry_price": _float(self.entry_price),
            "exit_price": _float(self.exit_price),
            "stop": float(self.stop),
            "target": float(self.target),
            "gross": float(self.gross),
            "fees": float(self.fees),
            "funding": float(self.funding),
            "net": float(net),
            "r": float(net / risked) if risked else None,
            "reason": self.reason,
        }
        return row | {f"at_entry_{f.name}": float(v) for f, v in zip(FEATURES, self.setup.values, strict=True)}


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
