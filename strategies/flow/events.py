"""The kernels that market events go through, one call an event for everything that the event touches.

`states` is an array of one record, the asset's: numba unpacks an array from Python four times faster than a record.

The per-event driver is :class:`strategies.features.AssetFlow`; a bulk driver calls the same kernels in a compiled loop.
"""

import numpy as np
import numpy.typing as npt

from indicators.cvd import update_cvd
from indicators.kernel import Floats, Ints, State, States, kernel
from indicators.ladder import take_levels
from indicators.sides import ASK, BID
from strategies.flow.groups import FEATURES, advance, on_levels, on_open_interest, on_sample, on_trade, write
from strategies.flow.markets import BANDS, decimal, limits_at

PRICE = [f.name for f in FEATURES].index("price")


@kernel
def trade_at(states: States, number: int, price: float, size: float, taker_side: int, ts: int) -> None:
    """Take a trade. Price and size are made the nearest doubles of their decimals, whatever way they came."""
    market = states[0].markets[number]
    exact_trade_at(states, number, decimal(price, market.price_scale), decimal(size, market.size_scale), taker_side, ts)


@kernel
def exact_trade_at(states: States, number: int, price: float, size: float, taker_side: int, ts: int) -> None:
    """Take a trade whose price and size are the nearest doubles of their decimals: whole units over their scale are."""
    state = states[0]
    market = state.markets[number]
    base = size * market.multiplier
    market.last_price = price
    market.trade_ns = ts
    update_cvd(market.cvd, base, taker_side)
    on_trade(state, number, price, base, taker_side, ts)


@kernel
def quote_at(states: States, number: int, bid_units: int, ask_units: int, ts: int) -> None:
    """Take the best prices of a market's book sample."""
    market = states[0].markets[number]
    market.bid = bid_units
    market.ask = ask_units
    market.book_ns = ts


@kernel
def depth_at(
    states: States,
    number: int,
    bid_units: int,
    ask_units: int,
    bid_near: float,
    bid_mid: float,
    bid_far: float,
    ask_near: float,
    ask_mid: float,
    ask_far: float,
    ts: int,
) -> None:
    """Take best prices and the depth within the bands of a market's book sample, sizes in the venue's units.

    The sums are made the nearest doubles of their decimals: in whatever order a book adds its levels, the bits agree.
    One call with many arguments, because a call from Python costs more than the work.
    """
    quote_at(states, number, bid_units, ask_units, ts)
    market = states[0].markets[number]
    scale, multiplier = market.size_scale, market.multiplier
    market.bid_depth[0] = decimal(bid_near, scale) * multiplier
    market.bid_depth[1] = decimal(bid_mid, scale) * multiplier
    market.bid_depth[2] = decimal(bid_far, scale) * multiplier
    market.ask_depth[0] = decimal(ask_near, scale) * multiplier
    market.ask_depth[1] = decimal(ask_mid, scale) * multiplier
    market.ask_depth[2] = decimal(ask_far, scale) * multiplier


@kernel
def levels_at(
    states: States,
    bid_prices: Ints,
    bid_sizes: Floats,
    ask_prices: Ints,
    ask_sizes: Floats,
    ts: int,
) -> None:
    """Take the levels of the lead's book, best first: prices in units, sizes in the venue's units, overwritten here."""
    state = states[0]
    lead = state.markets[0]
    for k in range(len(bid_sizes)):
        bid_sizes[k] = decimal(bid_sizes[k], lead.size_scale) * lead.multiplier
    for k in range(len(ask_sizes)):
        ask_sizes[k] = decimal(ask_sizes[k], lead.size_scale) * lead.multiplier
    on_levels(state, bid_prices, bid_sizes, ask_prices, ask_sizes, ts)


@kernel
def book_lost_at(states: States, number: int) -> None:
    """The market's book is not current any more: nothing is read off it until its next sample."""
    states[0].markets[number].book_ns = 0


@kernel
def ladder_at(
    states: States,
    number: int,
    levels: States,
    counts: Ints,
    changed: bool,
    ts: int,
    level_prices: Ints,
    level_sizes: Floats,
) -> None:
    """Sample a market's book off a ladder (:mod:`indicators.ladder`, quantities in steps of the last decimal place).

    `changed` says whether it took an update since the last sample. The last two, of shape (2, capacity), are scratch.
    What :meth:`strategies.features.AssetFlow.on_book` does with any other keeper of a book, without a call a number.
    Whole units over their scale are the nearest doubles of their decimals as they are.
    """
    state = states[0]
    market = state.markets[number]
    if changed or market.book_changed_ns == 0:
        market.book_changed_ns = ts
    elif ts - market.book_changed_ns > state.stale_ns:
        book_lost_at(states, number)
        return
    bids, asks = counts[0], counts[1]
    if bids == 0 or asks == 0:
        return
    bid, ask = levels[0, bids - 1].key, -levels[1, asks - 1].key
    quote_at(states, number, bid, ask, ts)
    if market.is_perp == 1:
        _ladder_depth(state, market, levels, counts, bid, ask)
    if number == 0 and ts % state.levels_ns == 0:
        lowest, highest = limits_at(bid, ask, state.reach_bps)
        bids = take_levels(levels, counts, BID, lowest, level_prices[0], level_sizes[0])
        asks = take_levels(levels, counts, ASK, highest, level_prices[1], level_sizes[1])
        for side in range(2):
            for k in range(bids if side == 0 else asks):
                level_sizes[side, k] = level_sizes[side, k] / market.size_scale * market.multiplier
        on_levels(
            state, level_prices[0, :bids], level_sizes[0, :bids], level_prices[1, :asks], level_sizes[1, :asks], ts
        )


@kernel
def _ladder_depth(state: State, market: State, levels: States, counts: Ints, bid: int, ask: int) -> None:
    for side in range(2):
        depth = market.bid_depth if side == 0 else market.ask_depth
        total = 0.0
        k = counts[side] - 1
        for band in range(BANDS):
            lowest, highest = limits_at(bid, ask, state.bands_bps[band])
            least = lowest if side == 0 else -highest
            while k >= 0 and levels[side, k].key >= least:
                total += levels[side, k].quantity
                k -= 1
            depth[band] = total / market.size_scale * market.multiplier


@kernel
def sample_at(states: States, ts: int) -> None:
    """Close the sample at `ts`, after every book that was sampled now."""
    state = states[0]
    on_sample(state, ts)
    if state.markets[0].book_ns == ts:
        state.samples += 1


@kernel
def mark_at(states: States, number: int, price: float, ts: int) -> None:
    """Take a mark price (quote per base)."""
    market = states[0].markets[number]
    market.mark = price
    market.mark_ns = ts


@kernel
def funding_at(states: States, number: int, rate: float, next_funding_ns: int, ts: int) -> None:
    """Take a funding rate (fraction per interval) and the time of the next settlement (0: not known)."""
    market = states[0].markets[number]
    market.funding_rate = rate
    market.next_funding_ns = next_funding_ns
    market.funding_ns = ts


@kernel
def open_interest_at(states: States, number: int, value: float, ts: int) -> None:
    """Take an open interest in the venue's units."""
    state = states[0]
    market = state.markets[number]
    market.open_interest = value * market.multiplier
    market.open_interest_ns = ts
    on_open_interest(state, number, ts)


@kernel
def features_at(states: States, ts: int, out: npt.NDArray[np.float64]) -> None:
    """Bring the asset to `ts` and write its features; what is missing or stale is left as it came in (NaN)."""
    state = states[0]
    advance(state, ts)
    write(state, ts, out)


@kernel
def snapshot_at(states: States, ts: int, out: npt.NDArray[np.float64]) -> bool:
    """Write the features at `ts` over NaN, and say whether they make a snapshot.

    They do once the short flow window of the lead is covered, and `warm_samples` samples of its book taken if it has
    one, and while it has a price: without one there is nothing to decide.
    """
    features_at(states, ts, out)
    state = states[0]
    lead = state.markets[0]
    volume = state.taker_flow.perp_volume if lead.is_perp == 1 else state.taker_flow.spot_volume
    warm = lead.has_book == 0 or state.samples >= state.warm_samples
    ready: bool = warm and out[PRICE] == out[PRICE] and volume == volume
    return ready
