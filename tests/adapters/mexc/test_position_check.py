"""The engine's positions against the venue's."""

from decimal import Decimal

from adapters.mexc.constants import MexcMarginMode, MexcPositionState, MexcPositionType
from adapters.mexc.position_check import PositionCheck, Sides
from adapters.mexc.schemas.private_account import PositionRow

LONG, SHORT = MexcPositionType.LONG, MexcPositionType.SHORT


def row(vol: int, side: MexcPositionType = LONG, symbol: str = "X_USDT") -> PositionRow:
    return PositionRow(
        position_id="1",
        symbol=symbol,
        position_type=side,
        open_type=MexcMarginMode.ISOLATED,
        state=MexcPositionState.HOLDING,
        hold_vol=Decimal(vol),
        hold_avg_price=Decimal(100),
        update_time=1_764_000_000_000,
    )


def sides(long: int, short: int) -> Sides:
    return Decimal(long), Decimal(short)


def test_difference_counts_when_it_is_seen_twice() -> None:
    """News may be under way."""
    check = PositionCheck(lambda: {"X_USDT": sides(3, 0)}, one_way=False)
    assert check.differing([row(5)]) == []
    assert check.unsure
    assert check.differing([row(5)]) == ["X_USDT"]
    assert not check.unsure
    assert check.difference("X_USDT") == "the venue has 5 long and 0 short, the engine 3 and 0"


def test_difference_that_moves_is_news_under_way() -> None:
    check = PositionCheck(lambda: {"X_USDT": sides(3, 0)}, one_way=False)
    assert check.differing([row(5)]) == []
    assert check.differing([row(6)]) == []
    assert check.differing([row(3)]) == []


def test_position_on_one_side_only() -> None:
    """Held at the venue and unknown to the engine, and the other way round."""
    check = PositionCheck(lambda: {"Y_USDT": sides(0, 2)}, one_way=False)
    check.differing([row(1)])
    assert check.differing([row(1)]) == ["X_USDT", "Y_USDT"]


def test_sides_are_apart_in_hedge_mode_and_netted_in_one_way_mode() -> None:
    rows = [row(5), row(2, SHORT)]
    for one_way, expected in ((False, ["X_USDT"]), (True, [])):
        check = PositionCheck(lambda: {"X_USDT": sides(3, 0)}, one_way=one_way)
        check.differing(rows)
        assert check.differing(rows) == expected
