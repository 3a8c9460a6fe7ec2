"""Public pushes of the contract socket: what is inside ``data`` of a frame.

Trades, tickers and contract updates have the shapes of REST: see ``public_rest``.
"""

from decimal import Decimal

import msgspec

from adapters.mexc.schemas.public_rest import Deal, Level, PublicPayload
from adapters.mexc.wire_numbers import WireMillis

type Deals = list[Deal] | Deal
"""``push.deal``: a list since 2025-08, one object before."""


class DepthUpdate(PublicPayload, frozen=True):
    """``push.depth``: levels that changed. Merged, it spans the versions `begin` to `end`; unmerged, it is one."""

    asks: list[Level]
    bids: list[Level]
    version: int
    begin: int | None = None
    end: int | None = None
    cts: WireMillis | None = None
    """Time of the matching engine, since 2026-06."""

    @property
    def first_version(self) -> int:
        """The first version in here; 0 and null stand for "not merged"."""
        return self.begin or self.version

    @property
    def last_version(self) -> int:
        return self.end or self.version


class FullDepth(PublicPayload, frozen=True):
    """``push.depth.full``: the best levels, whole, each time."""

    asks: list[Level]
    bids: list[Level]
    version: int
    cts: WireMillis | None = None


class SteppedDepth(PublicPayload, frozen=True):
    """``push.depth.step``: the book in coarser steps."""

    asks: list[Level]
    bids: list[Level]
    version: int
    ask_market_level_price: Decimal | None = None
    bid_market_level_price: Decimal | None = None
    ct: WireMillis | None = None


class Kline(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``push.kline``: the bar in progress, anew at each trade; none says that it is closed."""

    interval: str
    start: int = msgspec.field(name="t")
    """UNIX seconds."""
    open: Decimal = msgspec.field(name="o")
    """The close of the bar before."""
    high: Decimal = msgspec.field(name="h")
    low: Decimal = msgspec.field(name="l")
    close: Decimal = msgspec.field(name="c")
    volume: Decimal = msgspec.field(name="q")
    """Contracts."""
    amount: Decimal = msgspec.field(name="a")
    """Quote currency."""
    symbol: str | None = None
    real_open: Decimal | None = msgspec.field(name="ro", default=None)
    real_high: Decimal | None = msgspec.field(name="rh", default=None)
    real_low: Decimal | None = msgspec.field(name="rl", default=None)
    real_close: Decimal | None = msgspec.field(name="rc", default=None)


class FundingPush(PublicPayload, frozen=True):
    """``push.funding.rate``, about once a minute."""

    symbol: str
    rate: Decimal
    next_settle_time: WireMillis


class PricePush(PublicPayload, frozen=True):
    """``push.index.price`` and ``push.fair.price``; the fair price is the mark."""

    symbol: str
    price: Decimal
