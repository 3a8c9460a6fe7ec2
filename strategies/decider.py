"""The decision at a scan: snapshots in, the candidates to trade out, and why not for all others. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

import numpy as np

from strategies.candidates import (
    Blocks,
    Candidate,
    CandidateSettings,
    OpenPosition,
    Passed,
    Setup,
    Touch,
    VenueView,
    Why,
    candidates_of,
    choose,
    setups_of,
)
from strategies.features import FlowSnapshot
from strategies.minute_history import Correlations
from strategies.scoring import Barriers, Model
from strategies.stops import StopRule


class Venues(Protocol):
    """Where an asset may be traded, as it stands now."""

    def touches(self, asset: str) -> Sequence[Touch]:
        """The best prices of each venue."""

    def views(self, asset: str) -> Sequence[VenueView]:
        """Each venue in full."""


@dataclass(frozen=True)
class Account:
    """What there is to stake: `equity` in account currency (None: not known), and what is open or being entered.

    `busy` are assets that may not be traded now, each with the reason.
    """

    equity: Decimal | None
    open_positions: Sequence[OpenPosition]
    busy: Mapping[str, str]


def settings_for(barriers: Barriers, settings: CandidateSettings) -> CandidateSettings:
    """The settings with the barriers that a model's probabilities mean: target, stop and horizon are the model's.

    Raises ValueError for distances in bps: no stop rule keeps such a distance, so the probability would mean another
    question than the one that is traded.
    """
    target_r = Decimal(repr(barriers.take_profit)) / Decimal(repr(barriers.stop))
    fitted = replace(settings, target_r=target_r, horizon_seconds=barriers.horizon_seconds)
    if barriers.unit == "R":
        return fitted
    if barriers.unit == "atr":
        stop = replace(settings.stop, rule=StopRule.ATR, atr_multiple=Decimal(repr(barriers.stop)))
        return replace(fitted, stop=stop, exact_stop=True)
    raise ValueError(f"barriers in {barriers.unit} cannot be traded: train the model on barriers in atr or R")


class Decider:
    """Scores snapshots with `model` and chooses what to trade within `settings`, those that fit the model."""

    def __init__(self, model: Model, settings: CandidateSettings, correlations: Correlations) -> None:
        self.model = model
        self.settings = settings
        self._correlations = correlations

    def watch(self, snapshots: Sequence[FlowSnapshot]) -> None:
        """Take the prices of a scan, whether anything is decided then or not."""
        for snapshot in snapshots:
            self._correlations.update(snapshot.asset, snapshot.ts, snapshot["price"])

    def decide(
        self, snapshots: Sequence[FlowSnapshot], venues: Venues, account: Account, blocks: Blocks
    ) -> tuple[list[Candidate], list[Passed]]:
        """What to trade of the snapshots of one scan, in the order of the setups, and why not, for all others."""
        passed = [
            Passed(snapshot.asset, side, snapshot.ts, None, Why.BUSY, account.busy[snapshot.asset])
            for snapshot in snapshots
            if snapshot.asset in account.busy
            for side in (1, -1)
        ]
        free = [snapshot for snapshot in snapshots if snapshot.asset not in account.busy]
        if not free:
            return [], passed
        probabilities = self.model.score(np.array([snapshot.values for snapshot in free]))
        setups = setups_of(free, probabilities.tolist())
        candidates, not_viable = candidates_of(
            setups, venues.views, self.settings, blocks, venues.touches, lambda setup: self._conflict(setup, account)
        )
        if not candidates:
            return [], passed + not_viable
        if account.equity is None:
            return [], passed + not_viable + [c.pass_over(Why.MISSING, "equity is not known") for c in candidates]
        chosen, not_chosen = choose(
            candidates, account.open_positions, self._correlations.between, self.settings, equity=account.equity
        )
        return chosen, passed + not_viable + not_chosen

    def _conflict(self, setup: Setup, account: Account) -> str | None:
        """The open position that is the same bet, by the rule of `conflict_pairs`."""
        for position in account.open_positions:
            known = self._correlations.between(setup.asset, position.asset)
            rho = 1.0 if math.isnan(known) else known
            if setup.side * position.side * rho > self.settings.correlation_limit:
                return f"conflict: with the open {position.asset} {'long' if position.side > 0 else 'short'}"
        return None
