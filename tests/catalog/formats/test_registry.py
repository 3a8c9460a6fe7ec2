"""Formats by name, and readers from options."""

import dataclasses
from typing import Any

import pytest

from catalog.formats.binance_capture import BinanceCapture
from catalog.formats.binance_trades import BinanceTrades
from catalog.formats.registry import FORMATS, FormatOptionError, make_reader
from catalog.formats.tardis_trades import TardisTrades

SOUND = {"market": "usdm", "exchange": "binance-futures", "interval": "1m"}


def options(name: str, **changes: str | None) -> dict[str, str | None]:
    """Values that suit the format's needs, None for the others as the command line has them."""
    wanted = FORMATS[name].options
    bybit = {"market": "linear"} if name.startswith("bybit") else {}
    return {o: (SOUND | bybit)[o] if o in wanted else None for o in SOUND} | changes


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_makes_a_frozen_reader(name: str) -> None:
    """Each name gives a dataclass bound to the market of that symbol, with the clock offset where it has one."""
    reader = make_reader(name, "BTCUSDT", 5, options(name))
    assert dataclasses.is_dataclass(reader)
    assert reader.market.symbol == "BTCUSDT"
    assert reader.market.instrument_id.startswith("BTCUSDT-")
    assert {f.name: getattr(reader, f.name) for f in dataclasses.fields(reader)}["clock_offset_ns"] == 5
    with pytest.raises(dataclasses.FrozenInstanceError):
        reader.clock_offset_ns = 6  # type: ignore[attr-defined]  # what is tested


def test_options_reach_the_reader() -> None:
    """The market is the reader's type or category, and two names share a reader of two kinds."""
    assert make_reader("binance-capture", "ethusdt", 0, {"market": "spot"}) == BinanceCapture("spot", "ethusdt")
    assert make_reader("binance-aggtrades", "X", 1, {"market": "coinm"}) == BinanceTrades("coinm", "X", True, 1)
    assert make_reader("binance-trades", "X", 1, {"market": "usdm"}) == BinanceTrades("usdm", "X", False, 1)
    made = make_reader("tardis-trades", "BTCUSDT", 0, {"market": None, "exchange": "binance-futures"})
    assert made == TardisTrades("BTCUSDT", "binance-futures")


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("binance-ticks", {}, "format 'binance-ticks' is unknown; there are binance-capture, binance-stream-csv,"),
        ("binance-capture", {}, "format binance-capture needs --market: one of spot, usdm"),
        ("binance-capture", {"market": "coinm"}, "--market coinm: format binance-capture takes spot, usdm"),
        ("bybit-trades", {"market": "usdm"}, "--market usdm: format bybit-trades takes linear, spot, inverse"),
        ("tardis-book", {}, "format tardis-book needs --exchange"),
        ("tardis-book", {"exchange": "okx"}, "okx"),
        ("binance-klines", {"market": "spot"}, "format binance-klines needs --interval"),
        ("binance-klines", {"market": "spot", "interval": "7 moons"}, "7 moons"),
        ("binance-metrics", {"market": "usdm"}, "--market usdm: format binance-metrics has no such option"),
        ("binance-trades", {"market": "spot", "interval": "1m"}, "--interval 1m: format binance-trades has no such"),
    ],
)
def test_options_that_do_not_fit_are_named(name: str, given: dict[str, Any], message: str) -> None:
    """Unknown, missing, foreign and impossible options each say what would do."""
    with pytest.raises(FormatOptionError) as error:
        make_reader(name, "BTCUSDT", 0, given)
    assert message in str(error.value)


def test_every_needed_option_is_asked_for() -> None:
    """No format runs without an option that it needs."""
    for name, form in FORMATS.items():
        for option in form.options:
            with pytest.raises(FormatOptionError, match=f"format {name} needs --{option}"):
                make_reader(name, "BTCUSDT", 0, options(name, **{option: None}))
