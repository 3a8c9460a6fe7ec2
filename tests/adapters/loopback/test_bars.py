"""Bars of published trades."""

from decimal import Decimal

from adapters.loopback.bars import Bar, BarStore

MINUTE_MS = 60_000


def add(store: BarStore, minute: int, *prices: int) -> None:
    for price in prices:
        store.add("x", minute * MINUTE_MS + 1, Decimal(price), Decimal(1), Decimal(price))


def test_a_bar_opens_at_the_close_before_and_knows_its_first_trade() -> None:
    store = BarStore()
    add(store, 0, 100, 103, 101)
    add(store, 1, 105, 104)
    first, second = store.bars("x", 0, 120, 60)
    assert (first.open, first.first, first.high, first.low, first.close, first.vol) == (100, 100, 103, 100, 101, 3)
    assert (second.open, second.first, second.low, second.outer_low) == (101, 105, 104, 101)
    assert second.turnover == 209


def test_longer_bars_are_put_together_from_minutes() -> None:
    store = BarStore()
    add(store, 0, 100)
    add(store, 4, 90)
    add(store, 5, 120)
    five, next_five = store.bars("x", 0, 600, 300)
    assert (five.start_s, five.high, five.low, five.close, five.vol) == (0, 100, 90, 90, 2)
    assert (next_five.start_s, next_five.open, next_five.close) == (300, 90, 120)
    assert [bar.close for bar in store.bars("x", 0, 600, 60)] == [100, 90, 120]


def test_history_goes_before_what_was_published_and_is_asked_for_once() -> None:
    store = BarStore()
    add(store, 10, 100)
    asked = []

    def history(name: str) -> list[Bar]:
        asked.append(name)
        return [Bar(0, *([Decimal(50)] * 5))]

    store.history = history
    for _ in range(2):
        assert [bar.close for bar in store.bars("x", 0, 6_000, 60)] == [50, 100]
    assert asked == ["x"]


def test_all_since_the_start_is_one_bar_that_grows() -> None:
    store = BarStore()
    assert store.since_start("x") is None
    add(store, 10, 100, 102)
    add(store, 12, 99)
    for _ in range(2):
        whole = store.since_start("x")
        assert whole is not None
        assert (whole.first, whole.high, whole.low, whole.close, whole.vol) == (100, 102, 99, 99, 3)
    add(store, 12, 98)
    add(store, 13, 103)
    whole = store.since_start("x")
    assert whole is not None
    assert (whole.high, whole.low, whole.close, whole.vol) == (103, 98, 103, 5)
