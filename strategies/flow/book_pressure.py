"""Resting orders of all perps: depth within bands, imbalance with z-scores, and the lead's microprice."""

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, Ints, State, kernel
from indicators.microprice import band_microprice_bps
from indicators.order_book_imbalance import (
    configure_order_book_imbalance,
    order_book_imbalance_dtype,
    update_order_book_imbalance,
)
from indicators.rolling_moments import (
    configure_rolling_moments,
    reset_rolling_moments,
    rolling_moments_dtype,
    rolling_zscore,
    update_rolling_moments,
)
from strategies.config import FlowSettings
from strategies.flow.markets import BANDS, SECOND_NS, limits_at
from strategies.flow.schema import Feature, FeatureGroup, Flip, Input

_BOOKS = (Input.PERP_BOOKS,)


def _depth(side: str, band: str) -> Feature:
    other = "ask" if side == "bid" else "bid"
    return Feature(
        f"{side}_depth_{band}",
        "base units",
        Flip.SWAP,
        "1 sample",
        _BOOKS,
        f"{side} size within the {band} band, all perps",
        learnable=False,
        partner=f"{other}_depth_{band}",
    )


FEATURES = (
    Feature("obi_near", "ratio", Flip.NEGATE, "1 sample", _BOOKS, "bid minus ask depth over their sum, near band"),
    Feature("obi_mid", "ratio", Flip.NEGATE, "1 sample", _BOOKS, "the same, middle band"),
    Feature("obi_far", "ratio", Flip.NEGATE, "1 sample", _BOOKS, "the same, far band"),
    Feature("obi_near_z", "sd", Flip.NEGATE, "imbalance window", _BOOKS, "z-score of obi_near over the last samples"),
    Feature("obi_mid_z", "sd", Flip.NEGATE, "imbalance window", _BOOKS, "the same, middle band"),
    Feature("obi_far_z", "sd", Flip.NEGATE, "imbalance window", _BOOKS, "the same, far band"),
    Feature(
        "microprice_near_bps",
        "bps",
        Flip.NEGATE,
        "1 read",
        (Input.LEAD_BOOK,),
        "microprice of the near band of the lead's book, from its mid",
    ),
    Feature("microprice_far_bps", "bps", Flip.NEGATE, "1 read", (Input.LEAD_BOOK,), "the same, far band"),
    Feature("microprice_near_z", "sd", Flip.NEGATE, "microprice reads", (Input.LEAD_BOOK,), "z-score of the near one"),
    _depth("bid", "near"),
    _depth("bid", "mid"),
    _depth("bid", "far"),
    _depth("ask", "near"),
    _depth("ask", "mid"),
    _depth("ask", "far"),
)
OBI, OBI_Z, MICRO, BID_DEPTH, ASK_DEPTH = (BANDS * k for k in range(5))


def _layout(settings: FlowSettings) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("imbalance", order_book_imbalance_dtype(BANDS, settings.imbalance_window)),
            ("bid_depth", "f8", (BANDS,)),  # base units, all perps of the last sample
            ("ask_depth", "f8", (BANDS,)),
            ("depth_ns", "i8"),
            ("micro_near", "f8"),
            ("micro_far", "f8"),
            ("micro_history", rolling_moments_dtype(settings.microprice_reads)),
            ("levels_ns", "i8"),
            ("levels_stale_ns", "i8"),
            ("near_bps", "f8"),
            ("far_bps", "f8"),
        ]
    )


def _configure(state: State, settings: FlowSettings) -> None:
    configure_order_book_imbalance(state["imbalance"])
    configure_rolling_moments(state["micro_history"])
    state["levels_stale_ns"] = round((settings.levels_seconds + settings.stale_seconds) * SECOND_NS)
    state["near_bps"], _, state["far_bps"] = settings.depth_bands_bps


@kernel
def _on_sample(state: State, ts: int) -> None:
    pressure = state.book_pressure
    fresh = 0
    for number in range(state.count):
        market = state.markets[number]
        if market.is_perp == 1 and market.book_ns == ts:
            if fresh == 0:
                pressure.bid_depth[:] = 0.0
                pressure.ask_depth[:] = 0.0
            fresh += 1
            for band in range(BANDS):
                pressure.bid_depth[band] += market.bid_depth[band]
                pressure.ask_depth[band] += market.ask_depth[band]
    if fresh > 0:
        pressure.depth_ns = ts
        for band in range(BANDS):
            update_order_book_imbalance(pressure.imbalance, band, pressure.bid_depth[band], pressure.ask_depth[band])


@kernel
def _band(bid_prices: Ints, bid_sizes: Floats, ask_prices: Ints, ask_sizes: Floats, bps: float) -> float:
    lowest, highest = limits_at(bid_prices[0], ask_prices[0], bps)
    bids, asks = len(bid_prices), len(ask_prices)
    return band_microprice_bps(bid_prices, bid_sizes, bids, ask_prices, ask_sizes, asks, lowest, highest)


@kernel
def _on_levels(state: State, bid_prices: Ints, bid_sizes: Floats, ask_prices: Ints, ask_sizes: Floats, ts: int) -> None:
    if len(bid_prices) == 0 or len(ask_prices) == 0:
        return
    pressure = state.book_pressure
    if ts - pressure.levels_ns > pressure.levels_stale_ns:
        reset_rolling_moments(pressure.micro_history)
    pressure.levels_ns = ts
    pressure.micro_near = _band(bid_prices, bid_sizes, ask_prices, ask_sizes, pressure.near_bps)
    pressure.micro_far = _band(bid_prices, bid_sizes, ask_prices, ask_sizes, pressure.far_bps)
    if pressure.micro_near == pressure.micro_near:
        update_rolling_moments(pressure.micro_history, pressure.micro_near)


@kernel
def _write_microprice(pressure: State, ts: int, out: npt.NDArray[np.float64]) -> None:
    if pressure.levels_ns == 0 or ts - pressure.levels_ns > pressure.levels_stale_ns:
        return
    out[MICRO] = pressure.micro_near
    out[MICRO + 1] = pressure.micro_far
    if pressure.micro_near == pressure.micro_near:
        out[MICRO + 2] = rolling_zscore(pressure.micro_history)


@kernel
def _write(state: State, ts: int, out: npt.NDArray[np.float64]) -> None:
    pressure = state.book_pressure
    _write_microprice(pressure, ts, out)
    if pressure.depth_ns == 0 or ts - pressure.depth_ns > state.stale_ns:
        return
    for band in range(BANDS):
        out[OBI + band] = pressure.imbalance.value[band]
        out[OBI_Z + band] = pressure.imbalance.zscore[band]
        out[BID_DEPTH + band] = pressure.bid_depth[band]
        out[ASK_DEPTH + band] = pressure.ask_depth[band]


GROUP = FeatureGroup("book_pressure", FEATURES, _layout, _configure, _write, on_sample=_on_sample, on_levels=_on_levels)
