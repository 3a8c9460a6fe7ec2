"""The features: what the flow of an asset looks like at a scan, in a fixed order, and where they come from.

:class:`AssetFlow` is the only place where market events become features. Live, replay and research go through it, so
their numbers cannot differ.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, State, States, entry, kernel
from strategies.asset_state import (
    BANDS,
    SECOND_NS,
    add_market,
    advance,
    book_at,
    funding_at,
    mark_at,
    mid_price,
    new_asset,
    open_interest_at,
    quote_at,
    sample_at,
    trade_at,
)
from strategies.book_view import BookView, band_limits
from strategies.config import FlowSettings


class Flip(StrEnum):
    """What a feature becomes when the world is mirrored: buys for sells, up for down."""

    SAME = "same"
    NEGATE = "negate"
    COMPLEMENT = "100 - x"
    SWAP = "swap"  # with its partner on the other side


@dataclass(frozen=True)
class Feature:
    """One feature. It is NaN while not warm, and whenever an input that it needs is missing or stale."""

    name: str
    unit: str
    flip: Flip
    warm_up: str
    meaning: str


def _depth(side: str, band: str) -> Feature:
    return Feature(
        f"{side}_depth_{band}", "base units", Flip.SWAP, "1 sample", f"{side} size within the {band} band, all perps"
    )


FEATURES: tuple[Feature, ...] = (
    Feature("price", "quote", Flip.SAME, "1 sample", "mid of the lead market; its last trade where it has no book"),
    Feature("spread_bps", "bps", Flip.SAME, "1 sample", "best ask minus best bid of the lead market"),
    Feature("cvd_perp", "base units", Flip.NEGATE, "1 trade", "cumulative volume delta since start, all perps"),
    Feature("cvd_spot", "base units", Flip.NEGATE, "1 trade", "the same, all spot markets"),
    Feature(
        "perp_flow_short", "ratio", Flip.NEGATE, "short window", "net taker flow over volume, all perps, short window"
    ),
    Feature("perp_flow_long", "ratio", Flip.NEGATE, "long window", "the same over the long window"),
    Feature("spot_flow_short", "ratio", Flip.NEGATE, "short window", "net taker flow over volume, all spot markets"),
    Feature("spot_flow_long", "ratio", Flip.NEGATE, "long window", "the same over the long window"),
    Feature(
        "spot_minus_perp_short",
        "ratio",
        Flip.NEGATE,
        "short window",
        "spot flow minus perp flow: above zero, spot leads",
    ),
    Feature("spot_minus_perp_long", "ratio", Flip.NEGATE, "long window", "the same over the long window"),
    Feature(
        "volume_surge_z", "sd", Flip.SAME, "baseline", "volume of the last bucket against its EWMA baseline, all perps"
    ),
    Feature("whale_flow_short", "ratio", Flip.NEGATE, "200 trades", "net flow of whale prints over all perp volume"),
    Feature("obi_near", "ratio", Flip.NEGATE, "1 sample", "bid minus ask depth over their sum, near band, all perps"),
    Feature("obi_mid", "ratio", Flip.NEGATE, "1 sample", "the same, middle band"),
    Feature("obi_far", "ratio", Flip.NEGATE, "1 sample", "the same, far band"),
    Feature("obi_near_z", "sd", Flip.NEGATE, "imbalance window", "z-score of obi_near over the last samples"),
    Feature("obi_mid_z", "sd", Flip.NEGATE, "imbalance window", "the same, middle band"),
    Feature("obi_far_z", "sd", Flip.NEGATE, "imbalance window", "the same, far band"),
    _depth("bid", "near"),
    _depth("bid", "mid"),
    _depth("bid", "far"),
    _depth("ask", "near"),
    _depth("ask", "mid"),
    _depth("ask", "far"),
    Feature("trend_atr", "ATR", Flip.NEGATE, "slow EMA", "fast minus slow EMA of closes, in ATR, lead market"),
    Feature("rsi", "0..100", Flip.COMPLEMENT, "RSI bars", "Wilder's RSI of closes, lead market"),
    Feature("atr", "quote", Flip.SAME, "ATR bars", "Wilder's average true range, lead market"),
    Feature("atr_bps", "bps", Flip.SAME, "ATR bars", "the same over price"),
    Feature("basis_bps", "bps", Flip.NEGATE, "1 sample", "lead perp mid over the mean spot mid"),
    Feature("mark_premium_bps", "bps", Flip.NEGATE, "1 mark", "mark over mid, lead perp"),
    Feature("funding_rate", "fraction", Flip.NEGATE, "1 update", "funding rate of the lead perp per interval"),
    Feature("time_to_funding_s", "s", Flip.SAME, "1 update", "time to the lead perp's next settlement"),
    Feature("open_interest", "base units", Flip.SAME, "1 update", "sum over the perps that report it"),
)

_AT = {f.name: k for k, f in enumerate(FEATURES)}
# compile-time constants of the kernel below
PRICE, SPREAD, CVD_PERP, CVD_SPOT = (_AT[n] for n in ("price", "spread_bps", "cvd_perp", "cvd_spot"))
PERP_SHORT, PERP_LONG, SPOT_SHORT, SPOT_LONG = (
    _AT[n] for n in ("perp_flow_short", "perp_flow_long", "spot_flow_short", "spot_flow_long")
)
LEAD_SHORT, LEAD_LONG = _AT["spot_minus_perp_short"], _AT["spot_minus_perp_long"]
SURGE, WHALE = _AT["volume_surge_z"], _AT["whale_flow_short"]
OBI, OBI_Z, BID_DEPTH, ASK_DEPTH = (_AT[n] for n in ("obi_near", "obi_near_z", "bid_depth_near", "ask_depth_near"))
TREND, RSI, ATR, ATR_BPS = (_AT[n] for n in ("trend_atr", "rsi", "atr", "atr_bps"))
BASIS, PREMIUM, FUNDING, TO_FUNDING, OPEN_INTEREST = (
    _AT[n] for n in ("basis_bps", "mark_premium_bps", "funding_rate", "time_to_funding_s", "open_interest")
)
BPS = 1e4
SLOW_NS = 3600 * SECOND_NS  # funding and open interest come by the minute at best: an hour old they are stale


def schema_id(settings: FlowSettings) -> str:
    """A hash of the features and of every setting that gives them their meaning. A model refuses any other."""
    body = [[f.name, f.unit, str(f.flip), f.meaning] for f in FEATURES]
    text = json.dumps([body, settings.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class FlowSnapshot:
    """An asset at a scan: `ts` in UNIX ns, `values` of shape (len(FEATURES),) in their order, read only."""

    ts: int
    asset: str
    values: Floats
    schema_id: str

    def __getitem__(self, name: str) -> float:
        """The feature of that name. Raises KeyError for a name that is none."""
        return float(self.values[_AT[name]])


@dataclass(frozen=True)
class FlowMarket:
    """A market as the flow needs it. `multiplier` is base units per unit of size; `has_book` says whether its book is
    known in full, so that prices and depth may be read off it."""

    name: str
    is_perp: bool
    price_places: int
    size_places: int
    multiplier: float = 1.0
    has_book: bool = True


class AssetFlow:
    """All flow of one asset. The first market is the lead: its price, bars and book say what the asset costs.

    Times are UNIX ns and must not step back. Prices are quote per base, sizes the venue's own units; taker side is 1
    buyer, 2 seller, 0 unknown. Raises ValueError for no or too many markets.
    """

    def __init__(self, asset: str, markets: Sequence[FlowMarket], settings: FlowSettings) -> None:
        if not markets:
            raise ValueError(f"asset {asset} has no market: give at least one")
        self.asset = asset
        self.markets = tuple(markets)
        self.schema_id = schema_id(settings)
        self._settings = settings
        self._stale_ns = round(settings.stale_seconds * SECOND_NS)
        self._states: States = new_asset(settings)
        for m in markets:
            add_market(
                self._states,
                is_perp=m.is_perp,
                price_places=m.price_places,
                size_places=m.size_places,
                multiplier=m.multiplier,
            )
        self._trade = entry(trade_at, self._states, 0, 0, 0.0, 0.0, 0, 0)
        self._quote = entry(quote_at, self._states, 0, 0, 0, 0, 0)
        self._book = entry(book_at, self._states, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0)
        self._mark = entry(mark_at, self._states, 0, 0, 0.0, 0)
        self._funding = entry(funding_at, self._states, 0, 0, 0.0, 0, 0)
        self._open_interest = entry(open_interest_at, self._states, 0, 0, 0.0, 0)
        self._sample = entry(sample_at, self._states, 0, 0)
        self._read = entry(features_at, self._states, 0, 0, 0, 0, np.empty(len(FEATURES)))

    def on_trade(self, market: int, price: float, size: float, taker_side: int, ts: int) -> None:
        """Take a trade of market number `market`."""
        self._trade(self._states, 0, market, price, size, taker_side, ts)

    def on_book(self, market: int, book: BookView, ts: int) -> None:
        """Take a sample of a market's book; a book with an empty side is no sample."""
        best = book.best()
        if best is None:
            return
        bid, ask = best
        if self.markets[market].is_perp:
            near, middle, far = (band_limits(bid, ask, bps) for bps in self._settings.depth_bands_bps)
            down, up = book.depth_down_to, book.depth_up_to
            bids, asks = (down(near[0]), down(middle[0]), down(far[0])), (up(near[1]), up(middle[1]), up(far[1]))
            self._book(self._states, 0, market, bid, ask, *bids, *asks, ts)
        else:
            self._quote(self._states, 0, market, bid, ask, ts)

    def on_book_lost(self, market: int) -> None:
        """The market's book is not current any more: nothing is read off it until its next sample."""
        self._states["markets"][0][market]["book_ns"] = 0

    def on_sample(self, ts: int) -> None:
        """Close the sample at `ts`, after `on_book` of every market that has one."""
        self._sample(self._states, 0, ts)

    def on_mark(self, market: int, price: float, ts: int) -> None:
        """Take a mark price."""
        self._mark(self._states, 0, market, price, ts)

    def on_funding(self, market: int, rate: float, next_funding_ns: int, ts: int) -> None:
        """Take a funding rate (fraction per interval) and the next settlement's time, 0 if not known."""
        self._funding(self._states, 0, market, rate, next_funding_ns, ts)

    def on_open_interest(self, market: int, value: float, ts: int) -> None:
        """Take an open interest in the venue's units."""
        self._open_interest(self._states, 0, market, value, ts)

    def snapshot(self, ts: int) -> FlowSnapshot | None:
        """The features at `ts`, after everything up to `ts`.

        None until warm (the short flow window of the lead market covered, and `warm_samples` samples of its book if it
        has one) and while the lead market is stale: without a price there is nothing to decide.
        """
        values = np.full(len(FEATURES), math.nan)
        self._read(self._states, 0, ts, self._stale_ns, int(self.markets[0].has_book), values)
        values.flags.writeable = False
        lead = self.markets[0]
        if math.isnan(values[PRICE]) or not self._covered(lead):
            return None
        if lead.has_book and self._states["samples"][0] < self._settings.warm_samples:
            return None
        return FlowSnapshot(ts, self.asset, values, self.schema_id)

    def _covered(self, lead: FlowMarket) -> bool:
        window = self._states["perp_short" if lead.is_perp else "spot_short"]
        return not math.isnan(float(window["volume"][0]))

    def cvd(self, market: int) -> float:
        """Cumulative volume delta of one market in base units, NaN before its first trade."""
        cvd = self._states["markets"][0][market]["cvd"]
        return float(cvd["delta"]) if cvd["trades"] else math.nan


@kernel
def features_at(
    states: States, i: int, ts: int, stale_ns: int, lead_has_book: int, out: npt.NDArray[np.float64]
) -> None:
    """Bring the asset to `ts` and write its features; what is missing or stale is left as it came in (NaN)."""
    state = states[i]
    advance(state, ts)
    lead = state.markets[0]
    _write_lead(lead, ts, stale_ns, lead_has_book, out)
    _write_flow(state, out)
    _write_book(state, ts, stale_ns, out)
    _write_technical(state, out)
    _write_slow(state, ts, stale_ns, out)


@kernel
def _write_lead(lead: State, ts: int, stale_ns: int, lead_has_book: int, out: npt.NDArray[np.float64]) -> None:
    if lead_has_book == 1:
        if lead.book_ns > 0 and ts - lead.book_ns <= stale_ns:
            out[PRICE] = mid_price(lead)
            out[SPREAD] = (lead.ask - lead.bid) / lead.price_scale / out[PRICE] * BPS
    elif lead.trade_ns > 0 and ts - lead.trade_ns <= stale_ns:
        out[PRICE] = lead.last_price


@kernel
def _write_flow(state: State, out: npt.NDArray[np.float64]) -> None:
    perp_trades = 0
    spot_trades = 0
    perp = 0.0
    spot = 0.0
    for number in range(state.count):
        market = state.markets[number]
        if market.is_perp == 1:
            perp_trades += market.cvd.trades
            perp += market.cvd.delta
        else:
            spot_trades += market.cvd.trades
            spot += market.cvd.delta
    if perp_trades > 0:
        out[CVD_PERP] = perp
    if spot_trades > 0:
        out[CVD_SPOT] = spot
    out[PERP_SHORT] = state.perp_short.ratio
    out[PERP_LONG] = state.perp_long.ratio
    out[SPOT_SHORT] = state.spot_short.ratio
    out[SPOT_LONG] = state.spot_long.ratio
    out[LEAD_SHORT] = state.spot_short.ratio - state.perp_short.ratio
    out[LEAD_LONG] = state.spot_long.ratio - state.perp_long.ratio
    out[SURGE] = state.surge.zscore
    volume = state.perp_short.volume
    if state.whales.notional.count >= state.whales.notional.min_count and volume > 0.0:
        out[WHALE] = state.whale_short.net_flow / volume


@kernel
def _write_book(state: State, ts: int, stale_ns: int, out: npt.NDArray[np.float64]) -> None:
    if state.depth_ns == 0 or ts - state.depth_ns > stale_ns:
        return
    for band in range(BANDS):
        out[OBI + band] = state.imbalance.value[band]
        out[OBI_Z + band] = state.imbalance.zscore[band]
        out[BID_DEPTH + band] = state.bid_depth[band]
        out[ASK_DEPTH + band] = state.ask_depth[band]


@kernel
def _write_technical(state: State, out: npt.NDArray[np.float64]) -> None:
    out[RSI] = state.rsi.value
    out[ATR] = state.atr.value
    out[ATR_BPS] = state.atr.value / out[PRICE] * BPS
    if state.atr.value > 0.0:
        out[TREND] = (state.ema_fast.value - state.ema_slow.value) / state.atr.value


@kernel
def _write_slow(state: State, ts: int, stale_ns: int, out: npt.NDArray[np.float64]) -> None:
    lead = state.markets[0]
    spot_mid = 0.0
    spots = 0
    interest = 0.0
    reporting = 0
    for number in range(state.count):
        market = state.markets[number]
        if market.is_perp == 0:
            if market.book_ns > 0 and ts - market.book_ns <= stale_ns:
                spot_mid += mid_price(market)
                spots += 1
        elif market.open_interest_ns > 0 and ts - market.open_interest_ns <= SLOW_NS:
            interest += market.open_interest
            reporting += 1
    if reporting > 0:
        out[OPEN_INTEREST] = interest
    if lead.is_perp == 0:
        return
    if spots > 0:
        spot_mid /= spots
        out[BASIS] = (out[PRICE] - spot_mid) / spot_mid * BPS
    if lead.mark_ns > 0 and ts - lead.mark_ns <= stale_ns:
        out[PREMIUM] = (lead.mark - out[PRICE]) / out[PRICE] * BPS
    if lead.funding_ns > 0 and ts - lead.funding_ns <= SLOW_NS:
        out[FUNDING] = lead.funding_rate
        if lead.next_funding_ns > ts:
            out[TO_FUNDING] = (lead.next_funding_ns - ts) / SECOND_NS
