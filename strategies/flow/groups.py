"""The groups at work. An entry in :data:`GROUPS` is all that adds one: layout, schema and kernels follow from it."""

from itertools import accumulate

import numpy as np

from indicators.kernel import States, chained, new_states
from strategies.config import FlowSettings
from strategies.flow import (
    absorption,
    book_pressure,
    carry,
    divergence,
    lead_price,
    liquidity,
    taker_flow,
    technical,
    venues,
)
from strategies.flow.markets import CORE, configure_core
from strategies.flow.schema import Feature, FeatureGroup

GROUPS: tuple[FeatureGroup, ...] = (
    lead_price.GROUP,
    taker_flow.GROUP,
    book_pressure.GROUP,
    technical.GROUP,
    carry.GROUP,
    divergence.GROUP,
    liquidity.GROUP,
    venues.GROUP,
    absorption.GROUP,
)

FEATURES: tuple[Feature, ...] = tuple(feature for group in GROUPS for feature in group.features)


def asset_dtype(settings: FlowSettings) -> np.dtype[np.void]:
    """The layout of an asset's record under `settings`."""
    return np.dtype([*CORE, *((group.name, group.layout(settings)) for group in GROUPS)])


def new_asset(settings: FlowSettings) -> States:
    """One configured record, without markets."""
    states = new_states(asset_dtype(settings))
    configure_core(states[0], settings)
    for group in GROUPS:
        group.configure(states[0][group.name], settings)
    return states


_ENDS = tuple(accumulate(len(group.features) for group in GROUPS))

on_trade = chained(
    "on_trade",
    "state, number, price, base, taker_side, ts",
    [(g.on_trade, "state, number, price, base, taker_side, ts") for g in GROUPS if g.on_trade is not None],
    __file__,
)
on_levels = chained(
    "on_levels",
    "state, bid_prices, bid_sizes, ask_prices, ask_sizes, ts",
    [
        (g.on_levels, "state, bid_prices, bid_sizes, ask_prices, ask_sizes, ts")
        for g in GROUPS
        if g.on_levels is not None
    ],
    __file__,
)
on_open_interest = chained(
    "on_open_interest",
    "state, number, ts",
    [(g.on_open_interest, "state, number, ts") for g in GROUPS if g.on_open_interest is not None],
    __file__,
)
on_sample = chained(
    "on_sample", "state, ts", [(g.on_sample, "state, ts") for g in GROUPS if g.on_sample is not None], __file__
)
advance = chained("advance", "state, ts", [(g.advance, "state, ts") for g in GROUPS if g.advance is not None], __file__)
write = chained(
    "write",
    "state, ts, out",
    [(g.write, f"state, ts, out[{end - len(g.features)}:{end}]") for g, end in zip(GROUPS, _ENDS, strict=True)],
    __file__,
)
