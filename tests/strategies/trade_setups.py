"""Trades to be drawn: either side, both ways to enter, ladders and parts, with and without break-even and minimums."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from strategies.sizing import SizeRules
from strategies.target_sizes import Part
from strategies.targets import Ladder
from strategies.trade_manager import PostOnly, TradePlan
from tests.strategies.trade_driver import LONG, SECOND, SHORT, ladder, plan

STEP = Decimal(1)
SIZE = Decimal(20)
shares = st.sampled_from([{2: "1"}, {2: "0.5", 4: "0.5"}, {3: "0.2", 4: "0.5", 6: "0.3"}, {4: "0.7", 5: "0.3"}])
"""Parts of the position by distance from entry."""


def ladder_of(side: int, far: dict[int, str]) -> Ladder:
    return ladder({100 + side * distance: share for distance, share in far.items()}, LONG if side > 0 else SHORT)


def parts_of(side: int, far: dict[int, str]) -> tuple[Part, ...]:
    return tuple(Part(Decimal(100 + side * distance), SIZE * Decimal(share)) for distance, share in far.items())


@st.composite
def plans(draw: st.DrawFn) -> TradePlan:
    """Of 20 steps, entered at 100 and stopped 5 away."""
    side, targets = draw(st.sampled_from((1, -1))), draw(st.sampled_from((ladder_of, parts_of)))
    fields: dict[str, Any] = {
        "side": side,
        "size": SIZE,
        "stop": Decimal(100 - 5 * side),
        "targets": targets(side, draw(shares)),
        "rules": SizeRules(step=STEP, min_size=draw(st.sampled_from((None, Decimal(2))))),
        "entry": draw(st.sampled_from((None, PostOnly(Decimal(100), 5 * SECOND)))),
        "break_even": draw(st.sampled_from((Decimal(100 + side), None))),
    }
    return plan(**fields)
