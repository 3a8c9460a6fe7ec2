"""What the log says of a running trade, and what the trade is to others. What is sent is the trade manager's matter.

The long of 10 is entered at 100, stopped at 95, and leaves at 102 and 104; the short is its mirror.
"""

from decimal import Decimal

from strategies.candidates import OpenPosition
from strategies.trade_manager import (
    Accepted,
    Cancelled,
    ClosedByVenue,
    Filled,
    Flatten,
    ModifyRefused,
    Refused,
    Updated,
)
from tests.strategies.running_trades import RISK, Stand, short_plan
from tests.strategies.trade_driver import SECOND, T0, ladder, plan

D = Decimal


def rests(stand: Stand) -> list[tuple[str, str, float, float, float | None]]:
    """What, ref, price, and the seconds from which and to which it rested."""
    return [
        (r.role, r.ref, float(r.price), (r.from_ns - T0) / SECOND, (r.to_ns - T0) / SECOND if r.to_ns else None)
        for r in stand.trade.resting
    ]


def fills(stand: Stand) -> list[tuple[str, int, int, float, str]]:
    """Role, side, size, price and order id."""
    return [(f.role, f.side, int(f.size), float(f.price), f.order_id) for f in stand.trade.fills]


def test_a_round_trip_by_hand() -> None:
    """Every fill with the role and the id of its order; 5 × 2 and 5 × 4 are 30, less fees of 0.6."""
    stand = Stand()
    stand.start()
    stand.fill("entry", 10, fee="0.2", after=1)
    stand.fill("target-1-1", 5, 102, fee="0.1", after=2)
    stand.fill("target-2-1", 5, 104, fee="0.3", after=3)
    stand.on(Cancelled("stop-1"))
    assert fills(stand) == [
        ("entry", 1, 10, 100, "O-entry"),
        ("target", -1, 5, 102, "O-target-1-1"),
        ("target", -1, 5, 104, "O-target-2-1"),
    ]
    assert (stand.trade.gross, stand.trade.net, stand.trade.open_size) == (30, D("29.4"), 0)
    assert (stand.trade.entry_ns, stand.trade.exit_ns) == (T0 + SECOND, T0 + 6 * SECOND)
    assert stand.one.done


def test_the_row_is_closed_with_what_the_manager_knows() -> None:
    """Why it was left, and every command and end with its time; also while it still runs."""
    stand = Stand().enter()
    assert stand.one.close_log().reason == ""
    stand.on(Flatten("lockout"), after=7)
    row = stand.one.close_log()
    assert row is stand.trade
    assert row.reason == "lockout"
    assert (T0, "submit entry: market IOC buy 10", "the plan") in row.history
    assert (T0 + 7 * SECOND, "submit close-1: market IOC sell 10", "lockout") in row.history


def test_how_far_a_long_went_against_and_for_it() -> None:
    """By the bid, at which it could be left: 97 and 103.5 at scans, and 104 at which its last part was taken."""
    stand = Stand()
    stand.see((80, 81))
    stand.start()
    stand.see((81, 82))
    stand.fill("entry", 10)
    assert (stand.trade.mae, stand.trade.mfe) == (None, None)
    stand.see((99, 99.5), (97, 110), (103.5, 104))
    assert (stand.trade.mae, stand.trade.mfe) == (3, D("3.5"))
    stand.fill("target-1-1", 5, 102)
    stand.fill("target-2-1", 5, 104)
    stand.see((50, 51), (200, 201))
    assert (stand.trade.mae, stand.trade.mfe) == (3, 4)


def test_how_far_a_short_went_against_and_for_it() -> None:
    """By the ask; one that only ever gained has no adverse excursion, and its stop's fill makes one."""
    stand = Stand(short_plan()).enter()
    stand.see((96, 97), (90, 98))
    assert (stand.trade.mae, stand.trade.mfe) == (0, 3)
    stand.fill("stop-1", 10, 105.5)
    assert (stand.trade.mae, stand.trade.mfe) == (D("5.5"), 3)


def test_excursions_are_from_the_mean_entry() -> None:
    """4 at 100 and 6 at 101 are 100.6: a bid of 99 is 1.6 against it."""
    stand = Stand()
    stand.start()
    stand.fill("entry", 4, 100)
    stand.see((99, 100))
    stand.fill("entry", 6, 101)
    assert (stand.trade.mae, stand.trade.mfe) == (D("1.6"), 0)


def test_what_rested_and_when() -> None:
    """From the sending to the order's end, and nothing for entries and closes."""
    stand = Stand()
    stand.start()
    stand.fill("entry", 10, after=1)
    assert rests(stand) == [
        ("stop", "stop-1", 95, 1, None),
        ("target", "target-1-1", 102, 1, None),
        ("target", "target-2-1", 104, 1, None),
    ]
    for ref in ("stop-1", "target-1-1", "target-2-1"):
        stand.on(Accepted(ref))
    stand.fill("target-1-1", 2, 102, after=1)
    stand.fill("target-1-1", 3, 102, after=1)
    stand.on(Flatten("lockout"), after=1)
    stand.on(Cancelled("target-2-1"), after=1)
    stand.fill("close-1", 5, 99, after=1)
    stand.on(Cancelled("stop-1"), after=1)
    assert rests(stand) == [
        ("stop", "stop-1", 95, 1, 7),
        ("target", "target-1-1", 102, 1, 3),
        ("target", "target-2-1", 104, 1, 5),
    ]


def test_a_stop_that_moved_rested_at_two_prices() -> None:
    """At 95 until the venue says that it is at 101, which a new size alone does not."""
    stand = Stand(plan(break_even=D(101))).enter()
    stand.fill("target-1-1", 5, 102, after=2)
    assert stand.on(Updated("stop-1", D(5), D(95)), after=1) == ["move stop-1 to 101"]
    assert rests(stand)[0] == ("stop", "stop-1", 95, 0, None)
    stand.on(Updated("stop-1", D(5), D(101)), after=1)
    stand.on(Updated("stop-1", D(5), D(101)), after=1)
    stand.fill("stop-1", 5, 101, after=1)
    of_stop = [row for row in rests(stand) if row[0] == "stop"]
    assert of_stop == [("stop", "stop-1", 95, 0, 4), ("stop", "stop-1", 101, 4, 6)]


def test_a_stop_whose_move_was_refused_rested_where_it_was() -> None:
    """The log does not say that it went to break-even."""
    stand = Stand(plan(break_even=D(101))).enter()
    stand.fill("target-1-1", 5, 102)
    stand.on(Updated("stop-1", D(5), D(95)))
    stand.on(ModifyRefused("stop-1", "would trigger"), after=1)
    stand.fill("stop-1", 5, 95, after=1)
    assert [row for row in rests(stand) if row[0] == "stop"] == [("stop", "stop-1", 95, 0, 2)]


def test_a_target_whose_end_is_not_told_as_one_has_ended() -> None:
    """Nothing is left of it once its growth is refused: that report ends it in the log too.

    5 rest at 102 when a growth to 10 is asked for. 5 are filled before the venue refuses the growth: nothing is left.
    """
    stand = Stand(plan(targets=ladder({102: "1"})))
    stand.start()
    stand.fill("entry", 5)
    stand.on(Accepted("stop-1"))
    stand.on(Accepted("target-1-1"))
    assert "resize target-1-1 to 10" in stand.fill("entry", 5)
    stand.fill("target-1-1", 5, 102, after=1)
    assert rests(stand)[1][-1] is None
    stand.on(ModifyRefused("target-1-1", "filled"), after=1)
    assert rests(stand)[1] == ("target", "target-1-1", 102, 0, 2)


def test_a_duplicate_is_logged_once() -> None:
    """The same fill of the same order, and an acceptance told twice."""
    stand = Stand()
    stand.start()
    twice = Filled("entry", "a", D(10), D(100), D("0.2"), T0)
    for event in (twice, twice, Accepted("stop-1"), Accepted("stop-1")):
        stand.on(event)
    assert (len(stand.trade.fills), stand.trade.entered, stand.trade.fees) == (1, 10, D("0.2"))
    assert len(stand.trade.resting) == 3
    assert stand.one.manager.oddities == {"duplicate fill": 1}


def test_a_fill_of_the_entry_after_the_end_is_logged_and_closed() -> None:
    """The venue refused the entry and filled 4 all the same: not done any more, until they are sold."""
    stand = Stand()
    stand.start()
    stand.on(Refused("entry", "busy"))
    assert (stand.one.done, stand.one.signed_open) == (True, 0)
    assert stand.fill("entry", 4, 100.5, after=3) == [
        "submit stop-1: stop market sell 4 at 95",
        "submit close-1: market IOC sell 4",
        "alarm retry",
    ]
    assert (stand.one.done, stand.one.signed_open) == (False, 4)
    stand.fill("close-1", 4, 100, after=1)
    stand.on(Accepted("stop-1"))
    stand.on(Cancelled("stop-1"))
    assert stand.one.done
    assert (stand.trade.gross, stand.one.close_log().reason) == (-2, "late fill")
    assert rests(stand) == [("stop", "stop-1", 95, 3, 4)]


def test_what_was_closed_too_much_is_bought_back_in_the_log_too() -> None:
    """12 of 10 were sold, 2 bought back: 10 × 2 of the targets and of 2 sold at 95 a loss of 1 each; all that is closed
    has been entered."""
    stand = Stand().enter()
    stand.fill("target-1-1", 5, 102)
    stand.fill("target-2-1", 5, 102)
    assert stand.fill("stop-1", 2, 95) == ["submit close-1: market IOC buy 2", "alarm retry"]
    stand.fill("close-1", 2, 96)
    assert fills(stand)[-2:] == [("stop", -1, 2, 95, "O-stop-1"), ("close", 1, 2, 96, "O-close-1")]
    assert (stand.trade.entered, stand.trade.exited, stand.trade.gross) == (12, 12, 18)


def test_a_liquidation_is_the_venues() -> None:
    """A fill that no order of ours asked for."""
    stand = Stand().enter()
    stand.on(ClosedByVenue("x", D(10), D(90), D("1.5"), T0), order_id="liquidation-1")
    assert fills(stand)[-1] == ("venue", -1, 10, 90, "liquidation-1")
    assert stand.trade.net == D("-101.5")


# -- what it is to others ----------------------------------------------------------------------------------------------


def test_what_is_open() -> None:
    """Signed, and worth its distance from the mean entry; a short gains as the price falls."""
    long, short = Stand(), Stand(short_plan())
    for stand in (long, short):
        assert stand.one.unrealised(D(98)) == 0
        stand.start()
        assert stand.one.unrealised(D(98)) == 0
        stand.fill("entry", 4, 100)
        stand.fill("entry", 4, 101)
    assert (long.one.signed_open, short.one.signed_open) == (8, -8)
    assert (long.one.unrealised(D(98)), short.one.unrealised(D(98))) == (-20, 20)
    short.fill("target-1-1", 4, 98)
    assert short.one.unrealised(D(98)) == 10


def test_contracts_are_worth_their_multiplier() -> None:
    """8 contracts of a thousandth, 2.5 in profit."""
    stand = Stand().enter(8)
    stand.trade.multiplier = D("0.001")
    assert stand.one.unrealised(D("102.5")) == D("0.02")


def test_its_place_in_the_selection() -> None:
    """Asset, side, venue, and what it loses at its stop, from the start on."""
    assert Stand().one.position == OpenPosition("BTC", 1, "BINANCE", RISK)
    assert Stand(short_plan()).one.position.side == -1
