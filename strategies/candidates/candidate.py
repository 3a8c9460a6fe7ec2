"""Setups in, candidates out: what each would be on each venue, and the best venue of each."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Protocol

from strategies.breakeven import break_even, net_value
from strategies.candidates.costs import TripCosts, break_even_price, costs_at_stop, costs_at_target, funding_per_base
from strategies.candidates.passed import Passed, Why
from strategies.candidates.settings import CandidateSettings, Objective
from strategies.candidates.sizes import size_entry
from strategies.candidates.touch import SLACK, Touch, is_hopeless, least_break_even
from strategies.candidates.venue_view import VenueView, Walk, walk
from strategies.checks import require_side
from strategies.guards.halt import Halt
from strategies.sizing import DIGITS, Sized, TooSmall
from strategies.stops import NoStop, Stop, StopKind, stop_price
from strategies.targets import Ladder, NoTarget, Reach, plan_targets

PLACES = 18  # of money and of R, to which a quotient is rounded


class Snapshot(Protocol):
    """What is read of a :class:`strategies.features.FlowSnapshot`."""

    @property
    def ts(self) -> int: ...

    @property
    def asset(self) -> str: ...

    def __getitem__(self, name: str) -> float: ...


@dataclass(frozen=True)
class Setup:
    """A direction (`side` +1 long, -1 short) on an asset at a scan (`ts`, UNIX ns).

    `probability` is that of its target, NaN where the model lacks a feature. Raises ValueError for one outside [0, 1].
    """

    asset: str
    side: int
    ts: int
    probability: float
    snapshot: Snapshot

    def __post_init__(self) -> None:
        require_side(self.side)
        if not (math.isnan(self.probability) or 0 <= self.probability <= 1):
            raise ValueError(f"probability must lie in [0, 1], got {self.probability} of {self.asset}")


@dataclass(frozen=True)
class Candidate:
    """A setup on the venue where it would be traded. Prices in quote per base, money in account currency.

    Distances (`stop.distance`, the ladder's) are from `mid`, and costs held against it: see `strategies.candidates.
    costs`. `costs` are those at the target and at the stop, weighted by the probability; `net_value` is expected after
    them, `net_value_r` in distances of the stop; `loss` is what a stopped trade loses with all costs. `value` and
    `risk` are what `select` reads; the risk is never below the loss.
    """

    setup: Setup
    view: VenueView
    mid: Decimal
    entry_price: Decimal  # mean, expected
    worst_entry_price: Decimal  # that the walk reaches
    break_even_price: Decimal  # at which a resting exit just pays its costs
    stop: Stop
    targets: Ladder
    size: Sized
    size_base: Decimal
    costs_at_target: TripCosts
    costs_at_stop: TripCosts
    costs: TripCosts
    costs_per_base: TripCosts
    break_even: Decimal
    net_value: Decimal
    net_value_r: Decimal
    loss: Decimal
    value: float
    risk: float

    @property
    def venue(self) -> str:
        return self.view.venue

    def pass_over(self, why: Why, detail: str) -> Passed:
        """It was not chosen."""
        return Passed(self.setup.asset, self.setup.side, self.setup.ts, self.venue, why, detail)


type Views = Callable[[str], Sequence[VenueView]]
"""The tradable venues of an asset, empty where it may not be traded; asked only for assets that are likely enough."""

type Touches = Callable[[str], Sequence[Touch]]
"""The best prices of the tradable venues of an asset."""

type Conflict = Callable[[Setup], str | None]
"""What a setup conflicts with, in words; None where there is nothing."""

type Blocks = Callable[[str, str], Halt | None]
"""The halt that forbids an entry of an asset on a venue: `Guards.blocks` with the time filled in."""


def setups_of(snapshots: Sequence[Snapshot], probabilities: Sequence[Sequence[float]]) -> list[Setup]:
    """Both sides of each snapshot, from probabilities of shape (n, 2), long and short, as models give them."""
    return [
        Setup(snapshot.asset, side, snapshot.ts, float(probability), snapshot)
        for snapshot, row in zip(snapshots, probabilities, strict=True)
        for side, probability in zip((1, -1), row, strict=True)
    ]


def candidates_of(
    setups: Iterable[Setup],
    views: Views,
    settings: CandidateSettings,
    blocks: Blocks,
    touches: Touches | None = None,
    conflict: Conflict | None = None,
) -> tuple[list[Candidate], list[Passed]]:
    """Each setup on the venue with the highest net value, in the order of the setups; and why not, for the others.

    Of equal net values the higher one in R, then the first instrument id by name. A setup that no venue takes leaves
    one Passed for each venue, or a single one, without a venue, where no venue was asked. With `touches` a setup that
    could not pay its costs at any venue's best prices is passed over before its books are read, with `conflict` one
    that could not be chosen whatever it is worth.
    """
    candidates: list[Candidate] = []
    passed: list[Passed] = []
    known: dict[str, Sequence[VenueView]] = {}
    for setup in setups:
        why = _unlikely(setup, settings)
        if why is None and conflict is not None and (detail := conflict(setup)) is not None:
            why = Why.CONFLICT, detail
        if why is None and touches is not None:
            why = _hopeless(setup, settings, touches)
        if why is None:
            if setup.asset not in known:
                known[setup.asset] = views(setup.asset)
            if not known[setup.asset]:
                why = Why.UNIVERSE, f"no tradable venue has {setup.asset}"
        if why is not None:
            passed.append(Passed(setup.asset, setup.side, setup.ts, None, *why))
            continue
        found = [candidate_on(view, setup, settings, blocks) for view in known[setup.asset]]
        taken = [one for one in found if isinstance(one, Candidate)]
        if taken:
            candidates.append(min(taken, key=lambda c: (-c.net_value, -c.net_value_r, c.view.instrument_id)))
        else:
            passed += [one for one in found if isinstance(one, Passed)]
    return candidates, passed


def _unlikely(setup: Setup, settings: CandidateSettings) -> tuple[Why, str] | None:
    if math.isnan(setup.probability):
        return Why.MISSING, "the model lacks a feature: no probability"
    if Decimal(str(setup.probability)) < settings.min_probability:
        return Why.PROBABILITY, f"{setup.probability} is below {settings.min_probability}"
    atr = setup.snapshot["atr"]
    if not (math.isfinite(atr) and atr > 0):
        return Why.MISSING, f"atr is {atr}"
    return None


def _hopeless(setup: Setup, settings: CandidateSettings, touches: Touches) -> tuple[Why, str] | None:
    if settings.objective is Objective.EVERY:
        return None
    atr = setup.snapshot["atr"]
    needed = [least_break_even(touch, atr, setup.ts, settings) for touch in touches(setup.asset)]
    if not is_hopeless(setup.probability, needed):
        return None
    if min(needed) >= 1 - SLACK:
        return Why.COST, "the fees alone are more than the barrier is away"
    return Why.BREAK_EVEN, f"{setup.probability:.4f} is not above {min(needed):.4f}, which the fees alone need"


def candidate_on(view: VenueView, setup: Setup, settings: CandidateSettings, blocks: Blocks) -> Candidate | Passed:
    """The setup on one venue, or why not. Raises ValueError for inputs that cannot be."""
    with localcontext(prec=DIGITS):
        found = _candidate(view, setup, settings, blocks)
    return found if isinstance(found, Candidate) else Passed(setup.asset, setup.side, setup.ts, view.venue, *found)


def _candidate(
    view: VenueView, setup: Setup, settings: CandidateSettings, blocks: Blocks
) -> Candidate | tuple[Why, str]:
    if halt := blocks(setup.asset, view.venue):
        return Why.HALTED, f"{halt.guard}: {halt.reason}"
    if not view.has_book:
        return Why.NO_BOOK, "crossed" if view.bids and view.asks else "a side is empty"
    if view.book_age_seconds is None:
        return Why.MISSING, "the age of the book is not known"
    if view.book_age_seconds < 0:
        return Why.STALE, f"the book is {-view.book_age_seconds} s from the future: check the clocks"
    if view.book_age_seconds > settings.stale_seconds:
        return Why.STALE, f"the book is {view.book_age_seconds} s old: the limit is {settings.stale_seconds} s"
    if view.equity is None or view.free_margin is None:
        return Why.MISSING, "equity is not known" if view.equity is None else "free margin is not known"
    if view.equity <= 0:
        return Why.BUDGET, f"equity {view.equity} is not positive: nothing may be staked"
    side = setup.side
    funding = funding_per_base(view, side, setup.ts, settings.horizon_seconds)
    if funding is None:
        return Why.MISSING, "the next funding settlement or its rate is not known"
    levels = view.taken(side, settings.entry_reach_bps)
    stop = stop_price(
        side=side,
        entry=view.mid,
        tick=view.tick,
        atr=Decimal(str(setup.snapshot["atr"])),
        spread=view.spread,
        swing=view.swing(side),
        liquidation=view.liquidation(side, levels[0].price),
        settings=settings.stop,
    )
    if isinstance(stop, NoStop):
        return Why.NO_STOP, stop.value
    if settings.exact_stop and stop.kind is StopKind.MINIMUM:
        return Why.NO_STOP, f"the least distance of a stop, {stop.distance.normalize():f}, is beyond the model's"
    size = size_entry(
        view,
        side,
        stop,
        equity=view.equity,
        free_margin=view.free_margin,
        funding=funding,
        settings=settings,
    )
    if isinstance(size, TooSmall):
        return Why.TOO_SMALL, size.value
    walked = walk(levels, size.size * view.rules.multiplier)
    pays = break_even_price(view, side, walked, funding)
    targets = _targets(view, side, stop, pays, settings)
    if settings.objective is Objective.EVERY and not isinstance(targets, Ladder):
        # nobody asks here what a trade costs: what does not pay is aimed at all the same
        targets = _targets(view, side, stop, view.mid, settings)
        pays = view.mid if pays is None else pays
    if not isinstance(targets, Ladder) or pays is None:
        return targets if isinstance(targets, tuple) else (Why.COST, "no price pays the costs")
    return _valued(view, setup, settings, walked, stop, size, targets, pays, funding)


def _targets(
    view: VenueView, side: int, stop: Stop, pays: Decimal | None, settings: CandidateSettings
) -> Ladder | tuple[Why, str]:
    barrier = view.mid + side * settings.target_r * stop.distance
    if barrier <= 0:
        return Why.NO_TARGET, f"the barrier {barrier} is not above zero"
    reach = Reach(side, view.mid, view.mid, barrier, stop.distance, view.tick)
    if not reach.holds(reach.inner(barrier)):
        return Why.NO_TARGET, NoTarget.NO_ROOM.value
    if pays is not None:
        targets = plan_targets(
            Reach(side, view.mid, pays, barrier, stop.distance, view.tick), view.walls, settings.targets
        )
        if isinstance(targets, Ladder):
            return targets
    return Why.COST, f"costs are paid from {'nowhere' if pays is None else f'{pays:.10g}'} on: the barrier is {barrier}"


def _valued(
    view: VenueView,
    setup: Setup,
    settings: CandidateSettings,
    walked: Walk,
    stop: Stop,
    size: Sized,
    targets: Ladder,
    pays: Decimal,
    funding: Decimal,
) -> Candidate | tuple[Why, str]:
    side, base = setup.side, walked.size_base
    at_stop = costs_at_stop(view, side, walked, stop.price, funding)
    at_target = costs_at_target(view, side, walked, view.mid + side * targets.mean_distance, funding)
    probability = Decimal(str(setup.probability))
    risk = stop.distance * base
    loss = risk + at_stop.total
    # costs differ by the way out, so each way is given net of its own
    ends = {
        "tp": targets.mean_distance * base - at_target.total,
        "sl": loss,
        "cost": Decimal(0),
        "time_out_share": settings.time_out_share,
        "time_out_gross": settings.time_out_gross_r * risk - at_stop.total,
    }
    if ends["tp"] > 0:
        needed = break_even(**ends)
        net = round(net_value(probability=probability, **ends) * loss, PLACES)
    else:  # a target that does not pay its costs, which only EVERY takes
        needed, net = Decimal(1), round(probability * ends["tp"] - (1 - probability) * loss, PLACES)
    if probability <= needed and settings.objective is not Objective.EVERY:
        return Why.BREAK_EVEN, f"{setup.probability} is not above {needed:.4f}"
    costs = at_target.mixed(at_stop, probability)
    value = float(net) if settings.objective is Objective.NET_VALUE else setup.probability
    return Candidate(
        setup=setup,
        view=view,
        mid=view.mid,
        entry_price=walked.notional / base,
        worst_entry_price=walked.worst,
        break_even_price=pays,
        stop=stop,
        targets=targets,
        size=size,
        size_base=base,
        costs_at_target=at_target,
        costs_at_stop=at_stop,
        costs=costs,
        costs_per_base=costs.over(base),
        break_even=needed,
        net_value=net,
        net_value_r=round(net / risk, PLACES),
        loss=loss,
        value=value,
        risk=not_below(loss),
    )


def not_below(amount: Decimal) -> float:
    """The nearest double whose text is no less than the amount: `select` counts with the texts."""
    near = float(amount)
    return near if Decimal(repr(near)) >= amount else math.nextafter(near, math.inf)
