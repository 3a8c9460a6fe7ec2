"""The instruments of the built-in market: what each venue lists, and how lively each market is.

Ticks, steps, contract sizes and fees are those of the venues' listings of early 2026, so that a strategy meets the
rounding it will meet live; they are no reference for live trading, where the venue is asked. Assets after the tenth are
invented (``ALT11``, ``ALT12``, ...).
"""

from dataclasses import dataclass
from decimal import Decimal

from catalog.markets import Market, MarketKind


@dataclass(frozen=True)
class MarketSpec:
    """One instrument. `price_tick` is quote per base; `size_step` is in the venue's own units: base, or contracts.

    `multiplier` is base units per unit of size (the contract size of MEXC perps, else 1). `min_notional` is in quote
    currency, 0 where the venue has no such rule. Fees are fractions of notional. Markets without `has_book` publish
    trades only. `opening_price` is where the built-in market starts.
    """

    market: Market
    asset: str
    opening_price: Decimal
    price_tick: Decimal
    size_step: Decimal
    multiplier: Decimal
    min_notional: Decimal
    maker_fee: Decimal
    taker_fee: Decimal
    has_book: bool

    @property
    def is_perp(self) -> bool:
        return self.market.kind is MarketKind.PERP


@dataclass(frozen=True)
class Temper:
    """How one market behaves, in units that mean the same everywhere: seconds, basis points, quote currency."""

    volatility_bps: float  # standard deviation of one-minute log returns, long-run
    trades_per_second: float  # long-run, before bursts and the time of day
    frames_per_second: float  # book updates
    lag_ms: int  # delay behind the asset's consensus price
    spot_led_lag_ms: int  # the same while spot leads
    spread_bps: float  # typical; the tick is the floor
    depth_notional: float  # resting on one side within 10 bps of the fair price
    trade_notional: float  # median
    open_interest_notional: float  # at the start; 0 for spot
    latency_seconds: float  # median from the venue to the recorder
    activity: float  # of the asset, relative to the most active one


@dataclass(frozen=True)
class Listing:
    """A market of the sample with its temper. `asset_index` and `venue_index` name its random streams for good."""

    spec: MarketSpec
    temper: Temper
    asset_index: int
    venue_index: int


@dataclass(frozen=True)
class _Asset:
    name: str
    price: str
    volatility_bps: float
    activity: float  # trading relative to BTC


@dataclass(frozen=True)
class _Segment:
    venue: str  # what users ask for; the Nautilus venue of its spot market differs on two of the three
    market_venue: str
    kind: MarketKind
    maker_fee: str
    taker_fee: str
    min_notional: str
    has_book: bool
    share: float  # of trading, relative to Binance perps
    spread: float  # relative to Binance perps, as is the depth
    depth: float
    wall_share: float  # of the walls of an asset; those of all segments sum to 1
    frames_per_second: float
    lag_ms: int
    spot_led_lag_ms: int
    latency_seconds: float
    grids: dict[str, tuple[str, str]]  # asset: price tick, size step (on MEXC perps: contract size, sizes are whole)


_ASSETS = (
    _Asset("BTC", "93000", 6.5, 1.0),
    _Asset("ETH", "3180", 8.5, 0.8),
    _Asset("SOL", "136", 10.0, 0.5),
    _Asset("XRP", "2.12", 9.5, 0.4),
    _Asset("DOGE", "0.148", 11.5, 0.3),
    _Asset("BNB", "890", 7.0, 0.25),
    _Asset("ADA", "0.412", 11.0, 0.2),
    _Asset("AVAX", "14.1", 11.5, 0.15),
    _Asset("LINK", "13.6", 11.0, 0.15),
    _Asset("LTC", "82.4", 9.5, 0.12),
)

_BINANCE_PERP = {
    "BTC": ("0.1", "0.001"), "ETH": ("0.01", "0.001"), "SOL": ("0.01", "0.01"), "XRP": ("0.0001", "0.1"),
    "DOGE": ("0.00001", "1"), "BNB": ("0.01", "0.01"), "ADA": ("0.0001", "1"), "AVAX": ("0.001", "1"),
    "LINK": ("0.001", "0.01"), "LTC": ("0.01", "0.001"),
}  # fmt: skip
_BINANCE_SPOT = {
    "BTC": ("0.01", "0.00001"), "ETH": ("0.01", "0.0001"), "SOL": ("0.01", "0.001"), "XRP": ("0.0001", "0.1"),
    "DOGE": ("0.00001", "1"), "BNB": ("0.01", "0.001"), "ADA": ("0.0001", "0.1"), "AVAX": ("0.01", "0.01"),
    "LINK": ("0.01", "0.01"), "LTC": ("0.01", "0.001"),
}  # fmt: skip
_BYBIT_PERP = {
    "BTC": ("0.1", "0.001"), "ETH": ("0.01", "0.01"), "SOL": ("0.01", "0.1"), "XRP": ("0.0001", "0.1"),
    "DOGE": ("0.00001", "1"), "BNB": ("0.1", "0.01"), "ADA": ("0.0001", "1"), "AVAX": ("0.001", "0.1"),
    "LINK": ("0.001", "0.1"), "LTC": ("0.01", "0.1"),
}  # fmt: skip
_BYBIT_SPOT = {
    "BTC": ("0.1", "0.000001"), "ETH": ("0.01", "0.00001"), "SOL": ("0.01", "0.001"), "XRP": ("0.0001", "0.01"),
    "DOGE": ("0.00001", "0.1"), "BNB": ("0.1", "0.0001"), "ADA": ("0.0001", "0.01"), "AVAX": ("0.01", "0.001"),
    "LINK": ("0.01", "0.001"), "LTC": ("0.01", "0.00001"),
}  # fmt: skip
_MEXC_PERP = {
    "BTC": ("0.1", "0.0001"), "ETH": ("0.01", "0.01"), "SOL": ("0.01", "0.1"), "XRP": ("0.0001", "1"),
    "DOGE": ("0.00001", "100"), "BNB": ("0.1", "0.01"), "ADA": ("0.0001", "1"), "AVAX": ("0.001", "0.1"),
    "LINK": ("0.001", "0.1"), "LTC": ("0.01", "0.01"),
}  # fmt: skip
_MEXC_SPOT = {
    "BTC": ("0.01", "0.000001"), "ETH": ("0.01", "0.00001"), "SOL": ("0.01", "0.001"), "XRP": ("0.0001", "0.01"),
    "DOGE": ("0.00001", "0.1"), "BNB": ("0.01", "0.0001"), "ADA": ("0.0001", "0.01"), "AVAX": ("0.01", "0.001"),
    "LINK": ("0.01", "0.001"), "LTC": ("0.01", "0.0001"),
}  # fmt: skip
_INVENTED = {  # price tick and size step of an invented asset, for every venue alike
    MarketKind.PERP: ("0.001", "0.1"),
    MarketKind.SPOT: ("0.001", "0.01"),
}

_PERP, _SPOT = MarketKind.PERP, MarketKind.SPOT
_SEGMENTS = (  # the order is the venue_index: append, never insert
    _Segment(
        "BINANCE", "BINANCE", _PERP, "0.0002", "0.0005", "5", has_book=True,
        share=1.0, spread=1.0, depth=1.0, wall_share=0.4, frames_per_second=2.5,
        lag_ms=0, spot_led_lag_ms=100, latency_seconds=0.004, grids=_BINANCE_PERP,
    ),
    _Segment(
        "BINANCE", "BINANCE_SPOT", _SPOT, "0.001", "0.001", "5", has_book=True,
        share=0.5, spread=1.0, depth=0.7, wall_share=0.2, frames_per_second=1.0,
        lag_ms=40, spot_led_lag_ms=0, latency_seconds=0.004, grids=_BINANCE_SPOT,
    ),
    _Segment(
        "BYBIT", "BYBIT", _PERP, "0.0002", "0.00055", "5", has_book=True,
        share=0.5, spread=1.2, depth=0.7, wall_share=0.2, frames_per_second=2.5,
        lag_ms=60, spot_led_lag_ms=160, latency_seconds=0.006, grids=_BYBIT_PERP,
    ),
    _Segment(
        "BYBIT", "BYBIT", _SPOT, "0.001", "0.001", "5", has_book=True,
        share=0.25, spread=1.2, depth=0.5, wall_share=0.1, frames_per_second=1.0,
        lag_ms=120, spot_led_lag_ms=60, latency_seconds=0.006, grids=_BYBIT_SPOT,
    ),
    # the fees of MEXC perps are what an account that trades by API pays, which is more than the contract list shows
    _Segment(
        "MEXC", "MEXC", _PERP, "0.0006", "0.0008", "0", has_book=True,
        share=0.35, spread=2.0, depth=0.3, wall_share=0.1, frames_per_second=2.5,
        lag_ms=180, spot_led_lag_ms=280, latency_seconds=0.012, grids=_MEXC_PERP,
    ),
    _Segment(
        "MEXC", "MEXC_SPOT", _SPOT, "0", "0.0005", "1", has_book=False,
        share=0.15, spread=2.0, depth=0.2, wall_share=0.0, frames_per_second=1.0,
        lag_ms=220, spot_led_lag_ms=160, latency_seconds=0.012, grids=_MEXC_SPOT,
    ),
)  # fmt: skip

WALL_SHARES = tuple(segment.wall_share for segment in _SEGMENTS)  # by venue_index
PERPS_WITH_BOOK = frozenset(i for i, s in enumerate(_SEGMENTS) if s.kind is _PERP and s.has_book)
VENUES = ("BINANCE", "BYBIT", "MEXC")


def _asset(index: int) -> _Asset:
    if index < len(_ASSETS):
        return _ASSETS[index]
    price = Decimal("2.5") + Decimal("0.75") * (index % 7)
    return _Asset(f"ALT{index + 1}", str(price), 12.0, 0.1)


def _listing(asset: _Asset, asset_index: int, segment: _Segment, venue_index: int) -> Listing:
    tick, step = segment.grids.get(asset.name, _INVENTED[segment.kind])
    whole_contracts = segment.market_venue == "MEXC"
    symbol = f"{asset.name}_USDT" if whole_contracts else f"{asset.name}USDT"
    spec = MarketSpec(
        market=Market(segment.market_venue, segment.kind, symbol),
        asset=asset.name,
        opening_price=Decimal(asset.price),
        price_tick=Decimal(tick),
        size_step=Decimal(1) if whole_contracts else Decimal(step),
        multiplier=Decimal(step) if whole_contracts else Decimal(1),
        min_notional=Decimal(segment.min_notional),
        maker_fee=Decimal(segment.maker_fee),
        taker_fee=Decimal(segment.taker_fee),
        has_book=segment.has_book,
    )
    perp = segment.kind is MarketKind.PERP
    temper = Temper(
        volatility_bps=asset.volatility_bps,
        trades_per_second=31.0 * asset.activity * segment.share,
        frames_per_second=segment.frames_per_second,
        lag_ms=segment.lag_ms,
        spot_led_lag_ms=segment.spot_led_lag_ms,
        spread_bps=0.2 * segment.spread / asset.activity**0.5,
        depth_notional=2e6 * asset.activity * segment.depth,
        trade_notional=500.0 * asset.activity**0.5,
        open_interest_notional=1e9 * asset.activity * segment.share if perp else 0.0,
        latency_seconds=segment.latency_seconds,
        activity=asset.activity,
    )
    return Listing(spec, temper, asset_index, venue_index)


def listings(assets: int, venues: tuple[str, ...]) -> list[Listing]:
    """The markets of the first `assets` assets on `venues`, asset by asset.

    Raises ValueError for fewer than one asset, no venue, or a venue that is not one of :data:`VENUES`.
    """
    if assets < 1:
        raise ValueError(f"assets is {assets}: ask for at least 1")
    unknown = [venue for venue in venues if venue not in VENUES]
    if unknown or not venues:
        raise ValueError(f"venues are {list(venues)}: choose from {', '.join(VENUES)}")
    return [
        _listing(_asset(index), index, segment, venue_index)
        for index in range(assets)
        for venue_index, segment in enumerate(_SEGMENTS)
        if segment.venue in venues
    ]
