"""What a feature is, and what a group of features is: the unit in which the flow grows.

A group is one file: the state that it keeps of an asset, the kernels that events go through, and its features. One
entry in :mod:`strategies.flow.groups` puts it to work. docs/guides/add-a-feature.md shows it step by step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from indicators.kernel import State
from strategies.config import FlowSettings


class Flip(StrEnum):
    """What a feature becomes when the world is mirrored: buys for sells, up for down."""

    SAME = "same"
    NEGATE = "-x"
    COMPLEMENT_100 = "100 - x"
    COMPLEMENT_1 = "1 - x"
    SWAP = "swap"  # with its partner of the other side


class Input(StrEnum):
    """What a feature is made of. Where one of its inputs is missing or stale, a feature is NaN, never zero."""

    LEAD_PRICE = "lead price"  # its book; its trades where it has none
    LEAD_BOOK = "lead book"
    PERP_BOOKS = "perp books"
    SPOT_BOOKS = "spot books"
    PERP_TRADES = "perp trades"
    SPOT_TRADES = "spot trades"
    LEAD_BARS = "lead bars"
    MARK = "mark price"
    FUNDING = "funding rate"
    OPEN_INTEREST = "open interest"


@dataclass(frozen=True)
class Feature:
    """One feature. NaN while not warm, and whenever one of `inputs` is missing or stale.

    `warm_up` says what has to come first. `partner` is the feature that it swaps with under a flip. Features that are
    not `learnable` have a level of their own time or asset (prices, sizes, sums since the start): they are shown and
    used in rules, but a model that learned from them would learn the date.
    """

    name: str
    unit: str
    flip: Flip
    warm_up: str
    inputs: tuple[Input, ...]
    meaning: str
    learnable: bool = True
    partner: str | None = None


type Kernel = Callable[..., Any]


@dataclass(frozen=True)
class FeatureGroup:
    """Features that are computed together. `name` is the group's field in the asset's record.

    `layout` gives the field's dtype under the settings, `configure` prepares the field. The hooks are kernels that get
    the asset's whole record, as a group may read another's state, and run in the order of the groups:

    - `on_trade` (state, market number, price, base size, taker side, ts), after every trade;
    - `on_levels` (state, bid prices, bid sizes, ask prices, ask sizes, ts), with the levels of the lead's book within
      `levels_reach_bps`: prices in units, best first, sizes in base units;
    - `on_open_interest` (state, market number, ts), after a report;
    - `on_sample` (state, ts), when a book sample closes;
    - `advance` (state, ts), which brings what goes by the clock to `ts`;
    - `write` (state, ts, out), which writes the features in their order into `out`; that holds NaN before.
    """

    name: str
    features: tuple[Feature, ...]
    layout: Callable[[FlowSettings], np.dtype[np.void]]
    configure: Callable[[State, FlowSettings], None]
    write: Kernel
    on_trade: Kernel | None = None
    on_levels: Kernel | None = None
    on_open_interest: Kernel | None = None
    on_sample: Kernel | None = None
    advance: Kernel | None = None
