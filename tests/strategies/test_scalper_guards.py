"""What the scalper does when a guard says so, in a real engine: lockouts close, halts block, and all of it is told."""

from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from nautilus_trader.model.enums import OrderSide, OrderStatus, OrderType

from strategies.guards import ALL, What
from strategies.halt_journal import SqliteJournal
from strategies.scalper import Scalper
from tests.strategies.conftest import at, book_frame, signal
from tests.strategies.scalper_stage import (
    BTC,
    CALM,
    ETH,
    Watch,
    calm,
    equal_to_the_engine,
    flat_and_idle,
    long,
    orders,
    scalper,
    short,
)

KILLED = "the kill file exists: remove it, then clear this halt"


def halts(strategy: Scalper) -> list[tuple[int, str, str, str]]:
    """When, what, which guard and where."""
    return [(note.ts, note.what, note.guard, note.scope) for note in strategy.halts]


def touching(path: Path, second: float, *others: Callable[[float], None]) -> Callable[[float], None]:
    """A look that makes a file at a second, and looks as others do."""

    def look(seconds: float) -> None:
        for other in others:
            other(seconds)
        if seconds == second:
            path.touch()

    return look


# -- the kill file -----------------------------------------------------------------------------------------------------


def test_the_kill_file_is_seen_at_the_next_scan(stage, tmp_path: Path) -> None:
    """Made at 7.25, seen at 10: the trade is closed at market, and there is no entry after it."""
    one = stage(BTC)
    watch = Watch(one)
    kill = tmp_path / "kill"
    strategy = scalper(kill_file=str(kill), cooldown_seconds=0)
    data = calm(BTC, until=30)
    signals = [long(second) for second in (5, 10, 15, 20)]
    one.play(data, strategy, until=30, signals=signals, look=touching(kill, 7.25, watch))
    assert watch.rows[9.75] == (5, 5, 5)
    assert watch.rows[10.25] == (0, 0, 0)
    (trade,) = strategy.trades
    assert (trade.reason, trade.exit_ns, trade.exit_price) == ("kill_file: lockout", at(10), Decimal("99.9"))
    assert strategy.passed == {"probability": 3, "busy": 2, "halted": 2}
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


def test_cause_action_and_end_of_a_lockout_are_told(stage, tmp_path: Path) -> None:
    """Tripped, with what is done about it, and flat at the scan after the fills."""
    one = stage(BTC)
    kill = tmp_path / "kill"
    strategy = scalper(kill_file=str(kill))
    one.play(calm(BTC, until=20), strategy, until=20, signals=[long()], scans=(10, 15), look=touching(kill, 7.25))
    assert halts(strategy) == [(at(10), "tripped", "kill_file", ALL), (at(15), "flat", "kill_file", ALL)]
    assert [note.reason for note in strategy.halts] == [KILLED, KILLED]
    assert [note.action for note in strategy.halts] == [
        "no entries; cancels and closes 1 trade at market until flat",
        "nothing is open or working",
    ]
    assert strategy.halts[0].row["guard"] == "kill_file"
    history = [(note[1], note[2]) for note in strategy.trades[0].history]
    assert ("submit close-1: market IOC sell 5.000", "kill_file: lockout") in history


def test_the_kill_file_is_seen_within_a_second_where_it_is_watched(stage, tmp_path: Path) -> None:
    """With kill_watch_seconds of 1 a file made at 7.25 has closed the trade by 8, though there is no scan."""
    one = stage(BTC)
    kill = tmp_path / "kill"
    strategy = scalper(kill_file=str(kill), kill_watch_seconds=1)
    one.play(calm(BTC, until=20), strategy, until=20, signals=[long()], look=touching(kill, 7.25))
    (trade,) = strategy.trades
    assert (trade.reason, trade.exit_ns) == ("kill_file: lockout", at(8))
    assert halts(strategy) == [(at(8), "tripped", "kill_file", ALL), (at(9), "flat", "kill_file", ALL)]


def test_removing_the_kill_file_does_not_end_the_lockout(stage, tmp_path: Path) -> None:
    """The session is over until somebody clears the halt."""
    one = stage(BTC)
    kill = tmp_path / "kill"
    kill.touch()
    strategy = scalper(kill_file=str(kill))

    def remove(seconds: float) -> None:
        if seconds == 7.25:
            kill.unlink()

    one.play(calm(BTC, until=20), strategy, until=20, signals=[long(5), long(10), long(15)], look=remove)
    assert strategy.trades == []
    assert strategy.passed == {"probability": 3, "halted": 3}
    # nothing was open, so nothing had to become flat
    assert halts(strategy) == [(at(5), "tripped", "kill_file", ALL)]
    assert strategy.halts[0].action == "no entries; cancels and closes 0 trades at market until flat"


# -- lockouts ----------------------------------------------------------------------------------------------------------


def test_a_drawdown_closes_every_trade_and_ends_the_session(stage) -> None:
    """5 of 100000 may be lost: a long of 5 has paid 0.25025 and stands 8 below its entry, a short beside it is closed
    too, and nothing is entered any more."""
    one = stage(BTC, ETH)
    strategy = scalper(
        {"BTC": (BTC,), "ETH": (ETH,)}, guards={"daily_drawdown": {"max_fraction": "0.00005"}}, cooldown_seconds=0
    )
    fallen = [("98.4", "50")], [("98.6", "50")]
    data = [*calm(BTC), *calm(ETH, until=30), *(book_frame(BTC, second, *fallen) for second in range(8, 30, 4))]
    signals = [long(5), short(5, asset="ETH"), long(15), long(20)]
    one.play(data, strategy, until=30, signals=signals, scans=(10,))
    assert [(t.asset, t.exit_ns, t.exit_price) for t in strategy.trades] == [
        ("BTC", at(10), Decimal("98.4")),
        ("ETH", at(10), Decimal("100.1")),
    ]
    assert {t.reason for t in strategy.trades} == {"daily_drawdown: lockout"}
    assert strategy.passed == {"probability": 4, "halted": 2}
    assert halts(strategy) == [(at(10), "tripped", "daily_drawdown", ALL), (at(15), "flat", "daily_drawdown", ALL)]
    # 5 × 1.6 + 5 × 100.1 × 0.0005, and of the short 5 × 0.1 + 5 × 99.9 × 0.0005: 9 together
    assert strategy.halts[0].reason.startswith("equity 99991.0 is 0.01% below the day's start 100000")
    assert flat_and_idle(one)


def test_a_lockout_closes_until_flat(stage, tmp_path: Path) -> None:
    """The bid has 2 of 5, then 2, then the rest: the stop covers what is left meanwhile, and only then it is flat."""
    one = stage(BTC)
    watch = Watch(one)
    kill = tmp_path / "kill"
    strategy = scalper(kill_file=str(kill))
    asks = [("100.1", "50")]
    data = [
        *calm(BTC),
        book_frame(BTC, 8, [("99.9", "2")], asks),
        book_frame(BTC, 12.5, [("99.8", "2")], asks),
        book_frame(BTC, 17.5, [("99.7", "50")], asks),
    ]
    look = touching(kill, 7.25, watch)
    one.play(data, strategy, until=30, signals=[long()], scans=(10, 15, 20, 25), look=look)
    assert watch.rows[10.25] == (3, 3, 0)
    assert watch.rows[13.25] == (1, 1, 0)
    assert watch.rows[18.25] == (0, 0, 0)
    assert strategy.trades[0].exit_value == 2 * Decimal("99.9") + 2 * Decimal("99.8") + Decimal("99.7")
    assert halts(strategy)[-1] == (at(20), "flat", "kill_file", ALL)
    assert flat_and_idle(one)


def test_a_lockout_withdraws_an_entry_that_rests(stage, tmp_path: Path) -> None:
    """It is cancelled at the scan, long before its time is over."""
    one = stage(BTC)
    kill = tmp_path / "kill"
    strategy = scalper(kill_file=str(kill), entry={"style": "post_only", "timeout_seconds": 60})
    one.play(calm(BTC, until=20), strategy, until=20, signals=[long()], scans=(10, 15), look=touching(kill, 7.25))
    (entry,) = orders(one, OrderType.LIMIT)
    assert (entry.status, entry.ts_last) == (OrderStatus.CANCELED, at(10))
    assert strategy.trades == []
    assert halts(strategy)[1:] == [(at(15), "flat", "kill_file", ALL)]


def test_a_lockout_outlives_the_process(stage, tmp_path: Path) -> None:
    """The journal knows of it: another scalper with the same file does not enter."""
    first, second = stage(BTC), stage(BTC)
    kill, journal = tmp_path / "kill", tmp_path / "halts.sqlite"
    killed = scalper(kill_file=str(kill), journal=str(journal))
    first.play(calm(BTC, until=20), killed, until=20, signals=[long()], scans=(10,), look=touching(kill, 7.25))
    kill.unlink()
    with closing(SqliteJournal.open(journal)) as written:
        assert [event.what for event in written.events()] == [What.TRIPPED]
    again = scalper(kill_file=str(kill), journal=str(journal))
    second.play(calm(BTC, until=40), again, until=40, signals=[long(30)])
    assert again.trades == []
    assert again.passed == {"probability": 1, "halted": 1}


# -- orphans -----------------------------------------------------------------------------------------------------------


def leave_open(strategy: Scalper, second: float) -> Callable[[float], None]:
    """A look that buys 2 and rests a stop for them at a second, as a process that ended before this one had done."""

    def look(seconds: float) -> None:
        if seconds == second:
            factory = strategy.order_factory
            strategy.submit_order(factory.market(BTC.id, OrderSide.BUY, BTC.make_qty(Decimal(2))))
            size, trigger = BTC.make_qty(Decimal(2)), BTC.make_price(Decimal(98))
            strategy.submit_order(
                factory.stop_market(BTC.id, OrderSide.SELL, size, trigger_price=trigger, reduce_only=True)
            )

    return look


def test_a_position_of_nobody_halts_entries(stage) -> None:
    """What the venue holds is not what the trades hold, so nothing is added to it; it is not touched either."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()
    look = leave_open(strategy, 2.25)
    signals = [long(5)]
    one.play(calm(BTC), strategy, until=10, signals=signals, look=lambda at: (look(at), watch(at)))
    assert strategy.passed == {"probability": 1, "halted": 1}
    assert halts(strategy) == [(at(5), "tripped", "reconciliation", ALL)]
    assert strategy.halts[0].action == "no entries; what is open keeps its exits"
    assert watch.rows[9.75] == (2, 2, 0)


def test_a_lockout_closes_a_position_of_nobody_and_cancels_what_rests_for_it(stage, tmp_path: Path) -> None:
    """It is ours by its strategy id, though no trade of this process knows it."""
    one = stage(BTC)
    watch = Watch(one)
    kill = tmp_path / "kill"
    strategy = scalper(kill_file=str(kill))
    look = touching(kill, 7.25, leave_open(strategy, 2.25), watch)
    one.play(calm(BTC, until=20), strategy, until=20, signals=[long(5)], scans=(10, 15), look=look)
    assert watch.rows[9.75] == (2, 2, 0)
    assert watch.rows[10.25] == (0, 0, 0)
    assert [o.tags for o in orders(one, OrderType.MARKET)] == [None, ["orphan"]]
    assert [(ts, what) for ts, what, guard, _ in halts(strategy) if guard == "kill_file"] == [
        (at(10), "tripped"),
        (at(15), "flat"),
    ]
    assert flat_and_idle(one)


def test_a_position_of_nobody_is_closed_until_flat(stage, tmp_path: Path) -> None:
    """Nobody bids at first, then 1 of 2, then the rest: each scan tries again."""
    one = stage(BTC)
    watch = Watch(one)
    kill = tmp_path / "kill"
    strategy = scalper(kill_file=str(kill))
    look = touching(kill, 7.25, leave_open(strategy, 2.25), watch)
    asks = [("100.1", "50")]
    data: list[Any] = [
        *calm(BTC),
        book_frame(BTC, 8, [], asks),
        book_frame(BTC, 12, [("99.8", "1")], asks),
        book_frame(BTC, 17, [("99.7", "50")], asks),
    ]
    one.play(data, strategy, until=30, signals=[long(5)], scans=(10, 15, 20, 25), look=look)
    assert [watch.rows[second][0] for second in (10.25, 15.25, 20.25)] == [2, 1, 0]
    assert flat_and_idle(one)


# -- halts that end ----------------------------------------------------------------------------------------------------


def test_losses_in_a_row_pause_all_entries_for_a_time(stage) -> None:
    """After one loss there is no entry for 60 seconds; what is open goes on, to its target."""
    one = stage(BTC, ETH)
    losses = {"max_losses": 1, "halt_seconds": 60}
    strategy = scalper({"BTC": (BTC,), "ETH": (ETH,)}, guards={"consecutive_losses": losses}, cooldown_seconds=0)
    fallen = [("97.9", "50")], [("98.1", "50")]
    won = book_frame(ETH, 30, [("96.8", "50")], [("96.9", "50")])
    data = [*calm(BTC), *calm(ETH), won, *(book_frame(BTC, second, *fallen) for second in range(8, 90, 4))]
    signals = [long(5), short(5, asset="ETH"), long(10), long(69), long(70)]
    one.play(data, strategy, until=80, signals=signals)
    assert [(t.asset, t.entry_ns, t.reason) for t in strategy.trades] == [
        ("BTC", at(5), "stop"),
        ("ETH", at(5), "target"),
        ("BTC", at(70), "end"),
    ]
    assert strategy.passed == {"probability": 5, "halted": 2}
    name = "consecutive_losses"
    assert halts(strategy)[:2] == [(at(10), "tripped", name, ALL), (at(70), "expired", name, ALL)]
    assert strategy.halts[0].reason == "1 losses in a row: the limit is 1"


def test_orders_that_the_venue_refuses_halt_that_venue(stage) -> None:
    """A stop is refused, and one refusal is the limit here: no entry on the venue for 20 seconds."""
    one = stage(BTC, latency_seconds=0.2)
    storm = {"max_rejects": 1, "within_seconds": 10, "halt_seconds": 20}
    strategy = scalper(guards={"reject_storm": storm}, cooldown_seconds=0)
    asks = [("100.1", "50")]
    fall = [book_frame(BTC, 5.1 + k / 10, [("90.0", "50")], asks) for k in range(20)]
    calmed = [book_frame(BTC, second, *CALM) for second in (7.5, 12.5, 17.5, 22.5, 27.5, 28.5, 29, 32.5)]
    one.play([*calm(BTC), *fall, *calmed], strategy, until=35, signals=[long(5), long(10), long(28), long(31)])
    assert [(t.decided_ns, t.reason) for t in strategy.trades] == [(at(5), "stop refused"), (at(31), "end")]
    assert strategy.passed == {"probability": 4, "halted": 2}
    scope = "venue:BINANCE"
    assert halts(strategy)[:2] == [
        (at(10), "tripped", "reject_storm", scope),
        (at(31), "expired", "reject_storm", scope),
    ]


def test_data_that_are_old_halt_their_asset_while_they_are(stage) -> None:
    """The book of 0 is too old at 15, and a new one comes at 20."""
    one = stage(BTC)
    strategy = scalper()
    one.play([*calm(BTC), book_frame(BTC, 20, *CALM)], strategy, until=30, signals=[long(15), long(25)])
    assert [t.decided_ns for t in strategy.trades] == [at(25)]
    assert strategy.passed == {"probability": 2, "halted": 1}
    name, scope = "stale_data", "asset:BTC"
    assert halts(strategy) == [(at(15), "tripped", name, scope), (at(25), "expired", name, scope)]
    assert strategy.halts[0].reason == "BTCUSDT-PERP.BINANCE has been silent for 15.0 s: the limit is 10 s"


def test_a_spread_that_is_blown_out_halts_its_asset_while_it_is(stage) -> None:
    """21 bps at 15, where 20 are allowed; 1 bps again at 20."""
    one = stage(BTC)
    strategy = scalper(guards={"spread": {"min_samples": 2}})
    undecided = [signal(second, 0.0, atr=1.0) for second in (5, 10)]
    signals = [*undecided, long(15, spread_bps=21.0), long(20)]
    one.play(calm(BTC, until=20), strategy, until=30, signals=signals)
    assert [t.decided_ns for t in strategy.trades] == [at(20)]
    assert strategy.passed == {"probability": 6, "halted": 1}
    name, scope = "spread_blowout", "asset:BTC"
    assert halts(strategy) == [(at(15), "tripped", name, scope), (at(20), "expired", name, scope)]


def test_followed_decisions_do_not_ask_the_guards(stage, tmp_path: Path) -> None:
    """Another world would be locked out at another time, and that would be another decision."""
    one, other = stage(BTC), stage(BTC)
    kill = tmp_path / "kill"
    decided, followed = scalper(), scalper(kill_file=str(kill), kill_watch_seconds=1)
    one.play(calm(BTC), decided, until=10, signals=[long()])
    kill.touch()
    followed.follow(candidate for candidate, _ in decided.chosen)
    other.play(calm(BTC), followed, until=10, signals=[long()])
    assert [t.reason for t in followed.trades] == ["end"]
    assert followed.halts == []
