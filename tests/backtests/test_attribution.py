"""Costs of trades, joined from the trade log and what the venues noted."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from backtests.attribution import attribute, by_venue
from backtests.costs import Costs
from backtests.profile import load_profile
from catalog.tables import SELLER, Chunk, Kind
from strategies.trade_log import Trade
from tests.backtests.conftest import TENTHS, Frame, book, chunk, ns, trades, write_catalog
from tests.backtests.scripted import Played, play, quiet
from tests.backtests.test_simulation import BINANCE, DEEP, LATE, MS, SECOND, funding, marks
from tests.strategies.trade_rows import enter, leave, planned

D = Decimal
LATENCY = {"median_ms": 20.0, "sigma": 0.0, "floor_ms": 0.0, "feed_ms": 0.0}


def trade_of(played: Played, *orders: str, side: int = 1) -> Trade:
    """The trade that a script's orders made: the first is the entry."""
    made = planned(side)
    for number, name in enumerate(orders):
        identity = played.trader.sent[name].client_order_id
        for fill in played.trader.fills:
            if fill.client_order_id == identity:
                book_fill = enter if number == 0 else leave
                book_fill(
                    made, fill.last_px.as_decimal(), fill.ts_event, size=fill.last_qty.as_decimal(),
                    fee=fill.commission.as_decimal(), order_id=identity.value,
                )  # fmt: skip
    return made


def costs_of(played: Played, *orders: str, side: int = 1) -> tuple[Trade, Costs]:
    made = trade_of(played, *orders, side=side)
    (found,) = attribute([made], played.venues, played.engine.cache)
    assert found.unattributed == 0
    assert by_venue([made], [found]) == {"BINANCE": found.costs}
    return made, found.costs


def one(root: Path, frames: Sequence[Frame], *script: Any, more: Sequence[Chunk] = (), **settings: Any) -> Played:
    catalog = write_catalog(root / "catalog", {BINANCE: [book([DEEP, *frames, LATE]), *more]}, {BINANCE: TENTHS})
    return play(catalog, quiet(load_profile(), {"BINANCE": settings}), *script)


def test_a_market_round_trip_is_taken_apart(tmp_path: Path) -> None:
    """In: mid 100 at sending, 100.4 (100.2 / 100.6) on arrival, 1 bought at 100.6 and 1 at 100.8. Out: no latency cost.

    Latency 2 x 0.4, spread 2 x 0.2, slippage 0.2; out of 2 at 100.2 and 100.1, the mid as before: spread 2 x 0.2,
    slippage 0.1.
    """
    moved: Frame = (
        SECOND + 10 * MS,
        "snapshot",
        [("100.2", "1"), ("100.1", "9")],
        [("100.6", "1"), ("100.8", "9")],
    )
    played = one(
        tmp_path,
        [moved],
        (SECOND, lambda t: t.order("in", BINANCE, "buy", "2", ioc=True)),
        (2 * SECOND, lambda t: t.order("out", BINANCE, "sell", "2", ioc=True)),
        latency=LATENCY,
    )
    made, costs = costs_of(played, "in", "out")
    turnover = D("100.6") + D("100.8") + D("100.2") + D("100.1")
    assert costs == Costs(latency=D("0.8"), spread=D("0.8"), slippage=D("0.3"), fees=turnover * D("0.0005"))
    # all that was lost: the mid moved by 0.4 in our favour meanwhile, which is no cost of execution
    assert made.gross == 2 * D("0.4") - (costs.total - costs.fees)


def test_stops_and_limits_are_held_against_their_own_prices(tmp_path: Path) -> None:
    """A stop at 99 that sells at 98.5 slips by half a unit; a limit filled as a maker costs its fee alone."""
    crash: Frame = (3 * SECOND, "snapshot", [("98.5", "5")], [("98.6", "5")])
    played = one(
        tmp_path / "stop",
        [crash],
        (SECOND, lambda t: t.order("in", BINANCE, "buy", "1", ioc=True)),
        (2 * SECOND, lambda t: t.order("stop", BINANCE, "sell", "1", trigger="99.0", reduce_only=True)),
    )
    _, costs = costs_of(played, "in", "stop")
    assert (costs.spread, costs.slippage) == (D("0.1"), D("0.5"))
    tape = trades([2 * SECOND, 3 * SECOND], [SELLER, SELLER], price="99.9", size="1")
    played = one(
        tmp_path / "limit", [], (SECOND, lambda t: t.order("rest", BINANCE, "buy", "1", price="99.9")), more=[tape]
    )
    _, costs = costs_of(played, "rest")
    assert costs == Costs(fees=D("99.9") * D("0.0002"))


def test_funding_belongs_to_the_trade_that_was_open(tmp_path: Path) -> None:
    """1 coin at a mark of 100 and 1 bp: 0.01 paid, in the trade, its net and its costs; not in one that was over."""
    more = [marks((SECOND, "100.0")), funding("0.0001", 3 * SECOND, 100, SECOND)]
    played = one(
        tmp_path,
        [],
        (SECOND, lambda t: t.order("early", BINANCE, "buy", "0.5", ioc=True)),
        (SECOND + MS, lambda t: t.order("over", BINANCE, "sell", "0.5", ioc=True)),
        (2 * SECOND, lambda t: t.order("in", BINANCE, "buy", "1", ioc=True)),
        (4 * SECOND, lambda t: t.order("out", BINANCE, "sell", "1", ioc=True)),
        more=more,
    )
    open_then, over = trade_of(played, "in", "out"), trade_of(played, "early", "over")
    found = attribute([open_then, over], played.venues, played.engine.cache)
    assert [t.funding for t in (open_then, over)] == [D("-0.01"), 0]
    assert [c.costs.funding for c in found] == [D("0.01"), 0]
    assert open_then.net == open_then.gross - open_then.fees - D("0.01")


def test_a_liquidation_is_held_against_its_mark(tmp_path: Path) -> None:
    """Taken over at 90.1 where the mark was 90.4: 0.3 of slippage, and the venue's fee."""
    more = [marks((2 * SECOND, "100.0"), (3 * SECOND, "90.4"))]
    played = one(
        tmp_path,
        [],
        (SECOND, lambda t: t.order("in", BINANCE, "buy", "1", ioc=True)),
        more=more,
        liquidation_fee="0.01",
    )
    made = trade_of(played, "in")
    last = played.trader.fills[-1]
    leave(
        made, last.last_px.as_decimal(), last.ts_event, fee=last.commission.as_decimal(),
        order_id=last.client_order_id.value, role="venue",
    )  # fmt: skip
    (found,) = attribute([made], played.venues, played.engine.cache)
    assert found.costs.slippage == D("0.3")
    assert found.costs.fees == D("100.1") * D("0.0005") + D("90.1") * D("0.01")


def test_a_fill_without_a_book_at_sending_is_counted(tmp_path: Path) -> None:
    """Sent before there was a book, filled after: only its fee is known, and that is said."""
    late: Frame = (2 * SECOND, "snapshot", [("99.9", "5")], [("100.1", "5")])
    catalog = write_catalog(
        tmp_path / "c",
        {BINANCE: [book([late, LATE]), chunk(Kind.MARKS, {"value": ["100.0"]}, [100])]},
        {BINANCE: TENTHS},
    )
    slow = LATENCY | {"median_ms": 1_500.0}
    played = play(
        catalog, quiet(load_profile(), {"BINANCE": {"latency": slow}}),
        (SECOND, lambda t: t.order("in", BINANCE, "buy", "1", ioc=True)),
    )  # fmt: skip
    assert played.trader.fills[0].ts_event == ns(2 * SECOND + 500 * MS)
    (found,) = attribute([trade_of(played, "in")], played.venues, played.engine.cache)
    assert (found.unattributed, found.costs) == (1, Costs(fees=D("100.1") * D("0.0005")))


def test_nothing_costs_nothing() -> None:
    """No trade, no venue in the table."""
    assert by_venue([], []) == {}
    assert attribute([], {}, None) == []
