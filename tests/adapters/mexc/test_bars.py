"""Klines as bars, and when a bar is over."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model.data import Bar, BarType

from adapters.mexc.bar_closer import BarCloser, Closed
from adapters.mexc.bars import BarRow, bar, interval_seconds, kline_interval, kline_rows, pushed_row
from adapters.mexc.constants import KlineInterval
from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.schemas.public_rest import Klines
from adapters.mexc.schemas.public_socket import Kline
from tests.adapters.mexc.recorded_payloads import frame_data, needs_fixtures, rest_data
from tests.adapters.mexc.small_contracts import NOW, parser

D = Decimal
BTC = parser()
MINUTE = BarType.from_str("BTCUSDT-PERP.MEXC-1-MINUTE-LAST-EXTERNAL")


def bar_type(spec: str) -> BarType:
    return BarType.from_str(f"BTCUSDT-PERP.MEXC-{spec}")


@needs_fixtures
def test_recorded_push() -> None:
    """Prices are those of trades (open is not the close before), volume counts contracts, the time is the end."""
    row = pushed_row(frame_data("ws_public_kline_btc_min1_2026", Kline))
    assert row == BarRow(1790869980, D(84112), D("84114.5"), D(84054), D("84062.6"), D(211601))
    made = bar(row, MINUTE, 60, BTC, NOW)
    assert Bar.to_dict(made) == {
        "type": "Bar",
        "bar_type": "BTCUSDT-PERP.MEXC-1-MINUTE-LAST-EXTERNAL",
        "open": "84112.0",
        "high": "84114.5",
        "low": "84054.0",
        "close": "84062.6",
        "volume": "211601",
        "ts_event": 1790870040 * 10**9,
        "ts_init": NOW,
    }


@needs_fixtures
def test_recorded_columns() -> None:
    """Five bars of fifteen minutes; the second's low is that of its trades, not the close before."""
    rows = list(kline_rows(rest_data("rest_public_kline_min15_btc_usdt", Klines)))
    assert [row.start for row in rows] == [1761876000 + 900 * n for n in range(5)]
    assert rows[1] == BarRow(1761876900, D(109010), D("109426.2"), D(109010), D("109301.5"), D(5739575))


def columns(**changes: list[Decimal] | list[int] | None) -> Klines:
    one = {name: [D(2)] for name in ("open", "close", "high", "low", "vol", "amount")}
    return Klines(**{"time": [60], **one} | changes)  # type: ignore[arg-type]


def test_without_real_prices_or_trades_the_plain_ones_count() -> None:
    """Older replies have no real columns; a bar without trades has no real prices."""
    assert list(kline_rows(columns())) == [BarRow(60, D(2), D(2), D(2), D(2), D(2))]
    real = {name: [D(0)] for name in ("real_open", "real_close", "real_high", "real_low")}
    assert next(kline_rows(columns(vol=[D(0)], **real))).open == 2
    assert next(kline_rows(columns(**real))).open == 2


def test_columns_of_different_length() -> None:
    """The error names the column."""
    with pytest.raises(MexcPayloadError, match="kline: high: 2 values, but 1 times"):
        list(kline_rows(columns(high=[D(1), D(2)])))


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (BarRow(60, D(2), D(1), D(2), D(2), D(1)), "are no bar"),
        (BarRow(60, D(2), D(2), D(2), D(2), D(-1)), "volume: -1 must be above 0"),
        (BarRow(60, D("2.05"), D(3), D(2), D(2), D(1)), "price: 2.05 has more"),
    ],
)
def test_impossible_bars(row: BarRow, place: str) -> None:
    """High below open, negative volume, prices between ticks."""
    with pytest.raises(MexcPayloadError, match=place):
        bar(row, MINUTE, 60, BTC, NOW)


@pytest.mark.parametrize("start", [0, -60, 10**12])
def test_times_that_are_no_seconds(start: int) -> None:
    """Milliseconds in a field of seconds are noticed."""
    with pytest.raises(MexcPayloadError, match="is no time in seconds"):
        list(kline_rows(columns(time=[start])))


def test_not_finite_prices() -> None:
    """NaN as text decodes as a decimal: it is no price."""
    nan = msgspec.json.decode(b'"NaN"', type=Decimal)
    with pytest.raises(MexcPayloadError, match="no number that can be meant"):
        list(kline_rows(columns(open=[nan])))


@pytest.mark.parametrize(
    ("spec", "interval", "seconds"),
    [
        ("1-MINUTE-LAST-EXTERNAL", KlineInterval.MIN_1, 60),
        ("5-MINUTE-LAST-EXTERNAL", KlineInterval.MIN_5, 300),
        ("15-MINUTE-LAST-EXTERNAL", KlineInterval.MIN_15, 900),
        ("30-MINUTE-LAST-EXTERNAL", KlineInterval.MIN_30, 1800),
        ("1-HOUR-LAST-EXTERNAL", KlineInterval.HOUR_1, 3600),
        ("4-HOUR-LAST-EXTERNAL", KlineInterval.HOUR_4, 14400),
        ("8-HOUR-LAST-EXTERNAL", KlineInterval.HOUR_8, 28800),
        ("1-DAY-LAST-EXTERNAL", KlineInterval.DAY_1, 86400),
        ("1-WEEK-LAST-EXTERNAL", KlineInterval.WEEK_1, 604800),
    ],
)
def test_intervals(spec: str, interval: KlineInterval, seconds: int) -> None:
    """What the venue makes."""
    assert kline_interval(bar_type(spec)) is interval
    assert interval_seconds(interval) == seconds


@pytest.mark.parametrize(
    "spec", ["3-MINUTE-LAST-EXTERNAL", "1-MINUTE-MID-EXTERNAL", "100-TICK-LAST-EXTERNAL", "1-MINUTE-LAST-INTERNAL"]
)
def test_other_intervals_are_refused(spec: str) -> None:
    """The error says what there is."""
    with pytest.raises(ValueError, match=r"MEXC makes no bars .* it has"):
        kline_interval(bar_type(spec))


def row(start: int, close: int = 1) -> BarRow:
    return BarRow(start, D(1), D(close), D(1), D(close), D(1))


def test_a_later_bar_closes_the_one_before() -> None:
    """With what it was when it was last pushed; once."""
    closer = BarCloser(60, grace_seconds=3)
    assert closer.on_row(row(60)) is None
    assert closer.on_row(row(60, 5)) is None
    assert closer.on_row(row(120)) == Closed(row=row(60, 5))
    assert closer.on_time(130) is None


def test_a_minute_without_trades_is_passed_over() -> None:
    """The venue pushes nothing for it, and nothing is made up."""
    closer = BarCloser(60, grace_seconds=3)
    closer.on_row(row(60))
    assert closer.on_row(row(240)) == Closed(row=row(60))


def test_time_closes_a_bar_after_its_grace() -> None:
    """Without a later bar; and what comes too late for it is dropped."""
    closer = BarCloser(60, grace_seconds=3)
    closer.on_row(row(60))
    assert closer.on_time(122.9) is None
    assert closer.on_time(123) == Closed(row=row(60))
    assert closer.on_time(200) is None
    assert closer.on_row(row(60, 9)) is None
    assert closer.on_row(row(120)) is None
    assert closer.on_row(row(180)) == Closed(row=row(120))


def test_old_pushes_change_nothing() -> None:
    """A frame that is late by a bar."""
    closer = BarCloser(60, grace_seconds=3)
    closer.on_row(row(120))
    assert closer.on_row(row(60)) is None
    assert closer.on_row(row(180)) == Closed(row=row(120))


def test_a_lost_connection_within_a_bar_costs_nothing() -> None:
    """The next push is the whole bar again."""
    closer = BarCloser(60, grace_seconds=3)
    closer.on_row(row(60))
    closer.on_disconnected()
    closer.on_row(row(60, 7))
    assert closer.on_row(row(120)) == Closed(row=row(60, 7))


def test_bars_across_a_lost_connection_are_asked_for() -> None:
    """The bar in progress, and those in between."""
    closer = BarCloser(60, grace_seconds=3)
    closer.on_row(row(60))
    closer.on_disconnected()
    assert closer.on_row(row(240)) == Closed(missing=(60, 180))
    assert closer.on_row(row(300)) == Closed(row=row(240))


def test_a_bar_that_ends_while_disconnected_is_asked_for_in_time() -> None:
    """And those after it when the connection is back."""
    closer = BarCloser(60, grace_seconds=3)
    closer.on_row(row(60))
    closer.on_disconnected()
    assert closer.on_time(123) == Closed(missing=(60, 60))
    assert closer.on_row(row(240)) == Closed(missing=(120, 180))


def test_reconnected_at_once_after_a_closed_bar() -> None:
    """Nothing is missing between 60 and 120."""
    closer = BarCloser(60, grace_seconds=3)
    closer.on_row(row(60))
    closer.on_time(123)
    closer.on_disconnected()
    assert closer.on_row(row(120)) is None
    assert closer.on_row(row(180)) == Closed(row=row(120))


@given(st.lists(st.one_of(st.integers(0, 5), st.just("cut"), st.just("time")), max_size=60))
def test_every_bar_once_and_in_order(steps: list[int | str]) -> None:
    """Whatever happens: no bar is published twice, none is both published and asked for, starts only rise."""
    closer, now, seen = BarCloser(60, grace_seconds=3), 600, []
    for step in steps:
        if step == "cut":
            closer.on_disconnected()
            continue
        closed = None
        if step == "time":
            closed = closer.on_time(now + 63)
        else:
            now += 60 * int(step)
            closed = closer.on_row(row(now))
        if closed is not None:
            if closed.row is not None:
                seen.append(closed.row.start)
            if closed.missing is not None:
                first, last = closed.missing
                assert first <= last
                seen += range(first, last + 60, 60)
    assert seen == sorted(set(seen))
