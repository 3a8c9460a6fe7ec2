"""Fills, fees, funding, liquidation and balances of simulated venues, each worked out by hand."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backtests.profile import load_profile
from backtests.simulation import measured_feed_ns
from backtests.universe import universe
from catalog.instruments import Definition
from catalog.markets import Market, MarketKind
from catalog.store import Catalog
from catalog.tables import BUYER, SELLER, Chunk, Kind
from tests.backtests.conftest import TENTHS, Frame, book, chunk, ns, trades, write_catalog
from tests.backtests.scripted import Played, play, quiet

SECOND, MS = 1_000_000, 1_000  # in the microseconds of hand-made times
BINANCE = Market("BINANCE", MarketKind.PERP, "BTCUSDT")
BYBIT = Market("BYBIT", MarketKind.PERP, "BTCUSDT")
MEXC = Market("MEXC", MarketKind.PERP, "BTC_USDT")
CONTRACTS = Definition("BTC", "USDT", Decimal("0.1"), Decimal(1), multiplier=Decimal("0.01"))
"""A MEXC contract is a hundredth of a coin here."""
DEEP: Frame = (
    10,
    "snapshot",
    [("99.9", "1"), ("99.8", "2"), ("99.7", "10")],
    [("100.1", "1"), ("100.2", "2"), ("100.3", "10")],
)
DEFINITIONS = {BINANCE: TENTHS, BYBIT: TENTHS, MEXC: CONTRACTS}
LATE = (5 * SECOND, "diff", [("99.0", "1")], [])  # keeps the clock going


def market(root: Path, series: dict[Market, Sequence[Chunk]]) -> Catalog:
    return write_catalog(root / "catalog", series, {m: DEFINITIONS[m] for m in series})


def deep(root: Path, *frames: Frame, more: Sequence[Chunk] = ()) -> Catalog:
    """Binance alone, with the deep book and what is given."""
    return market(root, {BINANCE: [book([DEEP, *frames, LATE]), *more]})


def marks(*values: tuple[int, str]) -> Chunk:
    return chunk(Kind.MARKS, {"value": [v for _, v in values]}, [us for us, _ in values])


def funding(rate: str, due_us: int, *times: int) -> Chunk:
    columns = {
        "rate": [rate] * len(times),
        "interval_minutes": [480] * len(times),
        "next_funding_ns": [ns(due_us)] * len(times),
    }
    return chunk(Kind.FUNDING, columns, list(times))


def one(catalog: Catalog, *script: Any, **settings: Any) -> Played:
    """Play a script on Binance alone."""
    simulation = settings.pop("simulation", {})
    return play(catalog, quiet(load_profile(), {"BINANCE": settings}, **simulation), *script)


# -- fills and fees ----------------------------------------------------------------------------------------------------


def test_a_market_order_walks_the_book(tmp_path: Path) -> None:
    """Bought at the asks, best first; the fee is 5 bp of 100.1 + 100.2."""
    played = one(deep(tmp_path), (SECOND, lambda t: t.order("in", BINANCE, "buy", "2", ioc=True)))
    assert played.fills == [("buy", "1.000", "100.1"), ("buy", "1.000", "100.2")]
    assert played.venues["BINANCE"].ledger.fees == Decimal("0.0005") * Decimal("200.3")
    assert played.balance("BINANCE") == 10_000 - Decimal("0.10015")


def test_a_round_trip_buys_the_ask_and_sells_the_bid(tmp_path: Path) -> None:
    """1 at 100.1, out at 99.9: a loss of 0.2 and fees of 5 bp on 200."""
    played = one(
        deep(tmp_path),
        (SECOND, lambda t: t.order("in", BINANCE, "buy", "1", ioc=True)),
        (2 * SECOND, lambda t: t.order("out", BINANCE, "sell", "1", ioc=True)),
    )
    assert played.fills == [("buy", "1.000", "100.1"), ("sell", "1.000", "99.9")]
    assert played.balance("BINANCE") == 10_000 - Decimal("0.2") - Decimal("0.1")


def test_two_orders_do_not_take_the_same_level_twice(tmp_path: Path) -> None:
    """What the first has taken is gone for the second, until the venue shows the level anew."""
    played = one(
        deep(tmp_path),
        (SECOND, lambda t: t.order("a", BINANCE, "buy", "1", ioc=True)),
        (2 * SECOND, lambda t: t.order("b", BINANCE, "buy", "1", ioc=True)),
    )
    assert played.fills == [("buy", "1.000", "100.1"), ("buy", "1.000", "100.2")]


@pytest.mark.parametrize("ioc", [True, False])
def test_an_order_larger_than_the_book_is_filled_in_part_and_ended(tmp_path: Path, ioc: bool) -> None:
    """13 are offered: 13 are bought and the rest is cancelled, whatever the time in force."""
    played = one(deep(tmp_path), (SECOND, lambda t: t.order("all", BINANCE, "buy", "20", ioc=ioc)), leverage="20")
    assert [size for _, size, _ in played.fills] == ["1.000", "2.000", "10.000"]
    assert played.trader.cancelled == ["all"]
    assert played.engine.cache.orders_open() == []


def test_a_stop_larger_than_the_book_ends_too(tmp_path: Path) -> None:
    """A triggered stop takes the 3 that are bid then, and what is left of it does not rest on."""
    thin: Frame = (3 * SECOND, "snapshot", [("98.0", "3")], [("98.2", "1")])
    played = one(
        deep(tmp_path, thin),
        (SECOND, lambda t: t.order("in", BINANCE, "buy", "5", ioc=True)),
        (2 * SECOND, lambda t: t.order("stop", BINANCE, "sell", "5", trigger="99.0", reduce_only=True)),
    )
    assert played.fills[-1] == ("sell", "3.000", "98.0")
    assert played.trader.cancelled == ["stop"]
    assert played.venues["BINANCE"].ledger.open_holdings()[(BINANCE.instrument_id, str(played.trader.id))].size == 2


def test_a_resting_order_waits_for_what_was_there_before_it(tmp_path: Path) -> None:
    """1 rests at 99.9 before us: the first seller's 1 is theirs, of the second's 0.5 all is ours, as a maker."""
    tape = trades([2 * SECOND, 3 * SECOND], [SELLER, SELLER], price="99.9", size="1")
    played = one(
        deep(tmp_path, more=[tape]),
        (SECOND, lambda t: t.order("rest", BINANCE, "buy", "1.5", price="99.9")),
    )
    assert played.fills == [("buy", "1.000", "99.9")]
    assert played.trader.fills[0].ts_event == ns(3 * SECOND) + played.trader.fills[0].ts_event % 1_000
    assert played.venues["BINANCE"].ledger.fees == Decimal("0.0002") * Decimal("99.9")


def test_without_a_queue_the_first_seller_is_ours(tmp_path: Path) -> None:
    """The easier world that the report compares with."""
    tape = trades([2 * SECOND], [SELLER], price="99.9", size="1")
    played = one(
        deep(tmp_path, more=[tape]),
        (SECOND, lambda t: t.order("rest", BINANCE, "buy", "1.5", price="99.9")),
        simulation={"queue": False},
    )
    assert played.fills == [("buy", "1.000", "99.9")]


def test_post_only_and_reduce_only_are_kept(tmp_path: Path) -> None:
    """A post-only order that would take, and a reduce-only one without a position, are refused."""
    played = one(
        deep(tmp_path),
        (SECOND, lambda t: t.order("post", BINANCE, "buy", "1", price="100.1", post_only=True)),
        (2 * SECOND, lambda t: t.order("reduce", BINANCE, "buy", "1", ioc=True, reduce_only=True)),
    )
    assert played.fills == []
    assert "POST_ONLY" in played.trader.refusals[0]
    assert "REDUCE_ONLY" in played.trader.refusals[1]


# -- several venues at once --------------------------------------------------------------------------------------------


def test_long_and_short_on_three_venues_with_contracts(tmp_path: Path) -> None:
    """Long 1 on Binance, short 2 on Bybit, long 300 contracts (3 coins) on MEXC, each at its own fee and book."""
    bybit: Frame = (10, "snapshot", [("100.5", "5")], [("100.6", "5")])
    mexc: Frame = (10, "snapshot", [("99.0", "500")], [("99.2", "100"), ("99.3", "500")])
    later: dict[Market, Frame] = {
        BINANCE: (2 * SECOND, "snapshot", [("102.0", "5")], [("102.1", "5")]),
        BYBIT: (2 * SECOND, "snapshot", [("102.4", "5")], [("102.5", "5")]),
        MEXC: (2 * SECOND, "snapshot", [("101.0", "500")], [("101.2", "500")]),
    }
    first = {BINANCE: DEEP, BYBIT: bybit, MEXC: mexc}
    catalog = market(tmp_path, {m: [book([first[m], later[m], LATE])] for m in first})
    venues = {"BINANCE": {}, "BYBIT": {"taker_fee": "0.00055"}, "MEXC": {"taker_fee": "0.0008"}}
    sides = {BINANCE: ("buy", "1"), BYBIT: ("sell", "2"), MEXC: ("buy", "300")}
    opposite = {"buy": "sell", "sell": "buy"}
    script = [
        (SECOND, lambda t, m=m, s=s: t.order(f"in {m.venue}", m, s[0], s[1], ioc=True)) for m, s in sides.items()
    ] + [
        (3 * SECOND, lambda t, m=m, s=s: t.order(f"out {m.venue}", m, opposite[s[0]], s[1], ioc=True))
        for m, s in sides.items()
    ]
    played = play(catalog, quiet(load_profile(), venues), *script)
    # Binance: 102.0 - 100.1; Bybit: 2 x (100.5 - 102.5); MEXC: 1 coin at 99.2, 2 at 99.3, out at 101.0
    profit = {"BINANCE": Decimal("1.9"), "BYBIT": Decimal("-4.0"), "MEXC": Decimal("1.8") + 2 * Decimal("1.7")}
    turnover = {"BINANCE": Decimal("202.1"), "BYBIT": Decimal("406"), "MEXC": Decimal("99.2") + Decimal("198.6") + 303}
    rates = {"BINANCE": Decimal("0.0005"), "BYBIT": Decimal("0.00055"), "MEXC": Decimal("0.0008")}
    for name, venue in played.venues.items():
        assert venue.ledger.realised == profit[name], name
        assert venue.ledger.fees == turnover[name] * rates[name], name
        assert played.balance(name) == venue.ledger.balance == 10_000 + profit[name] - turnover[name] * rates[name]


# -- latency -----------------------------------------------------------------------------------------------------------


def test_a_command_meets_the_book_of_its_arrival(tmp_path: Path) -> None:
    """Sent at 1 s, there after 20 ms: the book that changes after 15 ms counts, that of 25 ms does not yet."""
    frames: list[Frame] = [
        (SECOND + 15 * MS, "snapshot", [("100.9", "1")], [("101.0", "1")]),
        (SECOND + 25 * MS, "snapshot", [("109.9", "1")], [("110.0", "1")]),
    ]
    latency = {"median_ms": 20.0, "sigma": 0.0, "floor_ms": 0.0, "feed_ms": 0.0}
    played = one(
        deep(tmp_path, *frames), (SECOND, lambda t: t.order("in", BINANCE, "buy", "1", ioc=True)), latency=latency
    )
    assert played.fills == [("buy", "1.000", "101.0")]
    assert played.trader.fills[0].ts_event == ns(SECOND + 20 * MS)


def test_the_age_of_the_data_is_added(tmp_path: Path) -> None:
    """With data that are 8 ms old on arrival the order meets the book that is seen 8 ms later still."""
    frames: list[Frame] = [
        (SECOND + 15 * MS, "snapshot", [("100.9", "1")], [("101.0", "1")]),
        (SECOND + 25 * MS, "snapshot", [("109.9", "1")], [("110.0", "1")]),
    ]
    latency = {"median_ms": 20.0, "sigma": 0.0, "floor_ms": 0.0, "feed_ms": 8.0}
    played = one(
        deep(tmp_path, *frames), (SECOND, lambda t: t.order("in", BINANCE, "buy", "1", ioc=True)), latency=latency
    )
    assert played.fills == [("buy", "1.000", "110.0")]


def test_the_age_of_the_data_is_measured(tmp_path: Path) -> None:
    """The median of receive time less venue time; 0 where receive times say nothing or are impossible."""
    aged = trades([30, 40, 50])
    table = aged.table.set_column(
        aged.table.schema.get_field_index("ts_event"), aged.table.schema.field("ts_event"),
        [[ns(30) - 3_000, ns(40) - 5_000, ns(50) - 90_000]],
    )  # fmt: skip
    catalog = market(tmp_path / "aged", {BINANCE: [book([DEEP]), Chunk(Kind.TRADES, table, "by hand")]})
    slot = next(s.first_ns for s in catalog.ledger.series() if s.kind == Kind.TRADES) % 1_000
    assert measured_feed_ns(catalog, [BINANCE.instrument_id]) == 5_000 + slot
    assert measured_feed_ns(catalog, ["ETHUSDT-PERP.BINANCE"]) == 0
    index = table.schema.get_field_index("ts_event")
    ahead = table.set_column(index, table.schema.field("ts_event"), [[ns(30) + 9_000_000] * 3])
    behind = market(tmp_path / "behind", {BINANCE: [book([DEEP]), Chunk(Kind.TRADES, ahead, "by hand")]})
    assert measured_feed_ns(behind, [BINANCE.instrument_id]) == 0


def test_a_cancel_on_its_way_does_not_stop_a_fill(tmp_path: Path) -> None:
    """Cancelled at 2 s, there at 2.02 s: the seller of 2.01 s still gets us."""
    tape = trades([2 * SECOND + 10 * MS, 2 * SECOND + 11 * MS], [SELLER, SELLER], price="99.9", size="1")
    latency = {"median_ms": 20.0, "sigma": 0.0, "floor_ms": 0.0, "feed_ms": 0.0}
    played = one(
        deep(tmp_path, more=[tape]),
        (SECOND, lambda t: t.order("rest", BINANCE, "buy", "3", price="99.9")),
        (2 * SECOND, lambda t: t.cancel_order(t.sent["rest"])),
        latency=latency,
    )
    assert played.fills == [("buy", "1.000", "99.9")]
    assert played.trader.cancelled == ["rest"]


def test_what_is_under_way_at_the_end_never_arrives(tmp_path: Path) -> None:
    """An order that the data do not reach is refused with that reason, not filled out of thin air."""
    latency = {"median_ms": 50_000.0, "sigma": 0.0, "floor_ms": 0.0, "feed_ms": 0.0}
    played = one(deep(tmp_path), (SECOND, lambda t: t.order("in", BINANCE, "buy", "1", ioc=True)), latency=latency)
    assert played.fills == []
    assert played.engine.cache.order(played.trader.sent["in"].client_order_id).is_closed


# -- funding -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "got"), [("buy", "-0.0202"), ("sell", "0.0202")])
def test_funding_is_settled_on_what_is_open(tmp_path: Path, side: str, got: str) -> None:
    """2 coins at a mark of 101 and a rate of 1 bp: longs pay 0.0202, shorts get it; the last mark before counts."""
    more = [
        marks((SECOND, "100.0"), (2 * SECOND, "101.0"), (4 * SECOND, "102.0")),
        funding("0.0001", 3 * SECOND, 100, SECOND),
    ]
    played = one(deep(tmp_path, more=more), (SECOND, lambda t: t.order("in", BINANCE, side, "2", ioc=True)))
    (payment,) = played.venues["BINANCE"].payments
    assert (payment.ts, payment.mark, payment.rate) == (ns(3 * SECOND), Decimal(101), Decimal("0.0001"))
    assert payment.amount == Decimal(got)
    fees = played.venues["BINANCE"].ledger.fees
    assert played.balance("BINANCE") == 10_000 - fees + Decimal(got)


def test_funding_before_the_entry_and_after_the_exit_is_others(tmp_path: Path) -> None:
    """Who holds nothing at the settlement pays nothing."""
    more = [
        marks((SECOND, "100.0")),
        funding("0.0001", 2 * SECOND, 100),
    ]
    played = one(deep(tmp_path, more=more), (3 * SECOND, lambda t: t.order("in", BINANCE, "buy", "1", ioc=True)))
    assert played.venues["BINANCE"].payments == []
    gone = one(
        deep(tmp_path / "gone", more=more),
        (SECOND, lambda t: t.order("in", BINANCE, "buy", "1", ioc=True)),
        (SECOND + MS, lambda t: t.order("out", BINANCE, "sell", "1", ioc=True)),
    )
    assert gone.venues["BINANCE"].payments == []


def test_a_market_without_funding_or_marks_is_named(tmp_path: Path) -> None:
    """Nothing is settled or liquidated on it, and that is said."""
    played = one(deep(tmp_path))
    assert played.venues["BINANCE"].without_funding == (BINANCE.instrument_id,)
    assert played.venues["BINANCE"].without_marks == (BINANCE.instrument_id,)
    known = one(deep(tmp_path / "known", more=[marks((SECOND, "100.0")), funding("0.0001", 3 * SECOND, 100)]))
    assert known.venues["BINANCE"].without_funding == known.venues["BINANCE"].without_marks == ()


# -- liquidation -------------------------------------------------------------------------------------------------------

# Binance's first tier of BTC keeps 0.4 % of the value: a long of 1 at 100.1 on 10 times has 10.01 of margin, and at a
# mark p of 10.01 + p - 100.1 = 0.004 p, p = 90.09 / 0.996 = 90.4518..., it is liquidated; its margin is gone at 90.09
LONG_LIMIT = Decimal("90.09") / Decimal("0.996")


@pytest.mark.parametrize(("mark", "closed"), [("90.5", False), ("90.4", True)])
def test_a_long_is_liquidated_at_its_mark(tmp_path: Path, mark: str, closed: bool) -> None:
    """Just above the limit it lives; below it is taken over at 90.1, the tick at its bankruptcy price, with the fee."""
    assert Decimal("90.4") < LONG_LIMIT < Decimal("90.5")
    more = [marks((2 * SECOND, "100.0"), (3 * SECOND, mark))]
    played = one(
        deep(tmp_path, more=more),
        (SECOND, lambda t: t.order("in", BINANCE, "buy", "1", ioc=True)),
        (2 * SECOND, lambda t: t.order("target", BINANCE, "sell", "1", price="105.0", reduce_only=True)),
        liquidation_fee="0.0125",
    )
    venue = played.venues["BINANCE"]
    assert len(venue.liquidations) == int(closed)
    if closed:
        assert played.fills[-1] == ("sell", "1.000", "90.1")
        assert played.trader.cancelled == ["target"]
        fee = Decimal("0.0125") * Decimal("90.1")
        assert venue.liquidations[0].fee == fee
        entry_fee = Decimal("0.0005") * Decimal("100.1")
        assert played.balance("BINANCE") == 10_000 - 10 - entry_fee - fee  # 100.1 - 90.1
        assert not venue.ledger.open_holdings()


def test_a_short_is_liquidated_above(tmp_path: Path) -> None:
    """Sold at 99.9: margin 9.99, gone at 109.89; at 109.9 - p = 0.004 p, p = 109.452 it is taken over, at 109.8."""
    more = [marks((2 * SECOND, "109.4"), (3 * SECOND, "109.5"))]
    played = one(
        deep(tmp_path, more=more),
        (SECOND, lambda t: t.order("in", BINANCE, "sell", "1", ioc=True)),
        liquidation_fee="0",
    )
    assert [x.mark for x in played.venues["BINANCE"].liquidations] == [Decimal("109.5")]
    assert played.fills[-1] == ("buy", "1.000", "109.8")


def test_cross_margin_lives_on_the_whole_account(tmp_path: Path) -> None:
    """With 10,000 behind it the same long survives 90.4 and 1; with 10 behind it, it does not survive 90.4."""
    more = [marks((2 * SECOND, "100.0"), (3 * SECOND, "90.4"), (4 * SECOND, "1.0"))]
    buy = (SECOND, lambda t: t.order("in", BINANCE, "buy", "1", ioc=True))
    rich = one(deep(tmp_path / "rich", more=more), buy, margin_mode="cross")
    assert rich.venues["BINANCE"].liquidations == []
    cross = {"margin_mode": "cross", "starting_balance": "10", "leverage": "20", "liquidation_fee": "0"}
    poor = one(deep(tmp_path / "poor", more=more), buy, **cross)
    (taken,) = poor.venues["BINANCE"].liquidations
    # 10 less the fee of 0.05005 and 9.7 is 0.24995, below 0.004 x 90.4; all is gone at 100.1 - 9.94995 = 90.15005, and
    # the tick above that is 90.2
    assert (taken.mark, taken.price) == (Decimal("90.4"), Decimal("90.2"))
    assert poor.balance("BINANCE") == 10 - Decimal("0.05005") - Decimal("9.9")


def test_contracts_are_liquidated_in_coins(tmp_path: Path) -> None:
    """100 MEXC contracts of a hundredth are one coin; by MEXC's first tier, 0.1 %, its limit is 90 / 0.999 = 90.09."""
    frame: Frame = (10, "snapshot", [("99.9", "1000")], [("100.0", "1000")])
    catalog = market(
        tmp_path,
        {MEXC: [book([frame, LATE]), marks((2 * SECOND, "95.0"), (3 * SECOND, "90.10"), (4 * SECOND, "90.05"))]},
    )
    played = play(
        catalog, quiet(load_profile(), {"MEXC": {"liquidation_fee": "0"}}),
        (SECOND, lambda t: t.order("in", MEXC, "buy", "100", ioc=True)),
    )  # fmt: skip
    (taken,) = played.venues["MEXC"].liquidations
    assert (taken.size, taken.mark, taken.price) == (Decimal(1), Decimal("90.05"), Decimal("90.0"))
    assert played.fills[-1] == ("sell", "100", "90.0")
    assert played.balance("MEXC") == 10_000 - Decimal("0.05") - 10


def test_switched_off_nothing_is_liquidated(tmp_path: Path) -> None:
    """The easier world: the position lives on below nothing."""
    more = [marks((2 * SECOND, "1.0"))]
    buy = (SECOND, lambda t: t.order("in", BINANCE, "buy", "1", ioc=True))
    played = one(deep(tmp_path, more=more), buy, simulation={"liquidation": False})
    assert played.venues["BINANCE"].liquidations == []


# -- rules -------------------------------------------------------------------------------------------------------------

HALVES = replace(
    TENTHS,
    price_tick=Decimal("0.5"),
    size_step=Decimal("0.005"),
    min_size=Decimal("0.01"),
    max_size=Decimal(5),
    min_notional=Decimal(20),
)
HALF_BOOK: Frame = (10, "snapshot", [("99.5", "100")], [("100.0", "100")])


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"size": "1", "price": "99.7"}, "price 99.7 is not on the tick of 0.5"),
        ({"size": "1", "trigger": "98.7"}, "trigger price 98.7 is not on the tick"),
        ({"size": "0.013", "price": "99.5"}, "size 0.013 is not a multiple of the step 0.005"),
        ({"size": "0.1", "price": "99.5"}, "notional 9.95 is below the minimum of 20"),
        ({"size": "1", "price": "110.0"}, "is beyond the band: 105 at a mark of 100"),
    ],
)
def test_a_venue_refuses_what_breaks_its_rules(tmp_path: Path, order: dict[str, str], reason: str) -> None:
    """Tick, step, notional and band, each with its numbers; with rules switched off none of them."""
    series = {BINANCE: [book([HALF_BOOK, LATE]), marks((100, "100.0"))]}
    side = "sell" if "trigger" in order else "buy"
    act = (SECOND, lambda t: t.order("bad", BINANCE, side, **order))
    played = one(write_catalog(tmp_path / "on", series, {BINANCE: HALVES}), act)
    assert [reason in r for r in played.trader.refusals] == [True], played.trader.refusals
    assert played.fills == []
    free = one(write_catalog(tmp_path / "off", series, {BINANCE: HALVES}), act, simulation={"rules": False})
    assert free.trader.refusals == []


def test_what_is_left_of_a_position_may_be_closed(tmp_path: Path) -> None:
    """A reduce-only order below the minimum notional is taken."""
    series = {BINANCE: [book([HALF_BOOK, LATE])]}
    played = one(
        write_catalog(tmp_path / "c", series, {BINANCE: HALVES}),
        (SECOND, lambda t: t.order("in", BINANCE, "buy", "1", ioc=True)),
        (2 * SECOND, lambda t: t.order("most", BINANCE, "sell", "0.9", ioc=True)),
        (3 * SECOND, lambda t: t.order("rest", BINANCE, "sell", "0.1", ioc=True, reduce_only=True)),
    )
    assert [size for _, size, _ in played.fills] == ["1.000", "0.900", "0.100"]
    assert played.trader.refusals == []


def test_an_account_buys_no_more_than_its_margin_carries(tmp_path: Path) -> None:
    """30 USDT on 10 times carry 300: two coins at 100.1 and 100.2, and not another two."""
    played = one(
        deep(tmp_path),
        (SECOND, lambda t: t.order("in", BINANCE, "buy", "2", ioc=True)),
        (2 * SECOND, lambda t: t.order("more", BINANCE, "buy", "2", ioc=True)),
        (3 * SECOND, lambda t: t.order("out", BINANCE, "sell", "2", ioc=True)),
        starting_balance="30",
    )
    assert [side for side, _, _ in played.fills] == ["buy", "buy", "sell", "sell"]
    (reason,) = played.trader.refusals
    assert reason.startswith("margin ")
    assert "that is free" in reason


def test_resting_orders_hold_margin_and_stops_do_not(tmp_path: Path) -> None:
    """Two resting buys of 1 need 20 of the 25: a third does not fit, a protective stop does."""
    played = one(
        deep(tmp_path),
        (SECOND, lambda t: t.order("a", BINANCE, "buy", "1", price="99.0")),
        (2 * SECOND, lambda t: t.order("b", BINANCE, "buy", "1", price="99.1")),
        (3 * SECOND, lambda t: t.order("c", BINANCE, "buy", "1", price="99.2")),
        (4 * SECOND, lambda t: t.order("stop", BINANCE, "sell", "1", trigger="98.0")),
        starting_balance="25",
    )
    assert len(played.trader.refusals) == 1
    still_open = {name for name, order in played.trader.sent.items() if order.is_open}
    assert still_open == {"a", "b", "stop"}


def test_our_own_cap_is_kept_before_anything_is_sent(tmp_path: Path) -> None:
    """A position of more than 150 is denied; one that only closes is not."""
    played = one(
        deep(tmp_path),
        (SECOND, lambda t: t.order("in", BINANCE, "buy", "1", ioc=True)),
        (2 * SECOND, lambda t: t.order("more", BINANCE, "buy", "1", ioc=True)),
        (3 * SECOND, lambda t: t.order("out", BINANCE, "sell", "1", ioc=True)),
        max_position_notional="150",
    )
    assert [side for side, _, _ in played.fills] == ["buy", "sell"]
    (reason,) = played.trader.refusals
    assert "above our own cap of 150" in reason
    assert played.venues["BINANCE"].client.connection is None


def test_a_modification_is_held_to_the_same_rules(tmp_path: Path) -> None:
    """A resting order that is moved off the tick stays where it was."""
    series = {BINANCE: [book([HALF_BOOK, LATE])]}

    def move(t: Any) -> None:
        order = t.sent["rest"]
        t.modify_order(order, price=t.cache.instrument(order.instrument_id).make_price(98.7))

    played = one(
        write_catalog(tmp_path / "c", series, {BINANCE: HALVES}),
        (SECOND, lambda t: t.order("rest", BINANCE, "buy", "1", price="99.0")),
        (2 * SECOND, move),
    )
    (order,) = played.engine.cache.orders()
    assert str(order.price) == "99.0"
    assert played.venues["BINANCE"].client.refusals == {"modify: price": 1}


def test_an_inverse_contract_is_left_out_with_the_reason(tmp_path: Path) -> None:
    """Only linear contracts are simulated, and the replay says which market it does not take."""
    inverse = Market("BINANCE_COINM", MarketKind.PERP, "BTCUSD_PERP", inverse=True)
    terms = Definition("BTC", "USD", Decimal("0.1"), Decimal(1), Decimal(100))
    catalog = write_catalog(
        tmp_path / "c", {BINANCE: [book([DEEP])], inverse: [trades([20], [BUYER])]}, {BINANCE: TENTHS, inverse: terms}
    )
    assert "inverse" in universe(catalog, load_profile()).left_out["BTCUSD-PERP.BINANCE_COINM"]
