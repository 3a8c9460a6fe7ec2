"""What holds for every indicator: two drivers give the same bits, and no value depends on what comes after it."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import indicators
from indicators.absorption import Absorption
from indicators.atr import Atr
from indicators.bollinger import Bollinger
from indicators.cvd import Cvd
from indicators.cvd_divergence import CvdDivergence
from indicators.ema import Ema
from indicators.ewma import Ewma
from indicators.flow_window import FlowWindow
from indicators.funding_pressure import FundingPressure
from indicators.macd import Macd
from indicators.microprice import Microprice
from indicators.order_book_imbalance import OrderBookImbalance
from indicators.rolling_moments import RollingMoments
from indicators.rolling_quantile import RollingQuantile
from indicators.rolling_slope import RollingSlope
from indicators.rsi import Rsi
from indicators.sma import Sma
from indicators.tail_quantile import TailQuantile
from indicators.volume_surge import VolumeSurge
from indicators.whale_bursts import WhaleBursts
from indicators.whale_trades import WhaleTrades

PRICE = st.floats(1e-3, 1e6)
SIZE = st.floats(1e-6, 1e4)
SIDE = st.integers(0, 2)
STEP_NS = st.integers(0, 35)
HOUR_NS = 3_600_000_000_000

CASES = {
    "ema": (lambda: Ema(3), [PRICE]),
    "sma": (lambda: Sma(3), [PRICE]),
    "rsi": (lambda: Rsi(3), [PRICE]),
    "atr": (lambda: Atr(3), [PRICE, PRICE, PRICE]),
    "macd": (lambda: Macd(2, 4, 3), [PRICE]),
    "bollinger": (lambda: Bollinger(4), [PRICE]),
    "rolling_slope": (lambda: RollingSlope(4), [PRICE]),
    "rolling_moments": (lambda: RollingMoments(4), [PRICE]),
    "ewma": (lambda: Ewma(3), [SIZE]),
    "rolling_quantile": (lambda: RollingQuantile(5, 0.7, 2), [st.one_of(SIZE, st.sampled_from([1.0, 2.0]))]),
    "tail_quantile": (lambda: TailQuantile(5, 0.7, 2), [st.one_of(SIZE, st.sampled_from([1.0, 2.0]))]),
    "whale_trades": (lambda: WhaleTrades(6, 0.7, 3), [PRICE, SIZE, SIDE]),
    "cvd": (lambda: Cvd(), [SIZE, SIDE]),
    "cvd_divergence": (lambda: CvdDivergence(12, 2, 2, 0.1, 1, 3), [PRICE, SIZE]),
    "volume_surge": (lambda: VolumeSurge(10, 3, 2.5, 4), [STEP_NS, SIZE]),
    "absorption": (lambda: Absorption(4, 8, 2), [PRICE, SIZE, SIZE, SIZE]),
    "whale_bursts": (lambda: WhaleBursts(10, 6, 0.7, 3), [STEP_NS, PRICE, SIZE, SIDE]),
    "microprice": (Microprice, [st.integers(90, 105), SIZE, st.integers(95, 110), SIZE]),
    "funding_pressure": (
        FundingPressure,
        [st.floats(-0.01, 0.01), st.sampled_from([8 * HOUR_NS, HOUR_NS]), st.integers(0, HOUR_NS), STEP_NS],
    ),
    "order_book_imbalance": (lambda: OrderBookImbalance(1, 4), [st.sampled_from([0.0, 1.0, 2.5]), SIZE]),
}

# those whose events are no rows of numbers, or that are read at other times than fed: the test that holds it for them
OF_THEIR_OWN = {
    "bars": "test_bulk_equals_one_by_one_and_a_model",
    "book_heatmap": "test_per_event_equals_bulk",
    "kernel_density": "test_per_event_equals_bulk",
    "lead_lag": "test_drivers_swap_scale_and_reading",
    "liquidity_clusters": "test_per_event_equals_bulk",
    "liquidity_walls": "test_per_event_equals_bulk",
    "price_dispersion": "test_oracle_order_scale_and_drivers",
    "spot_perp_divergence": "test_two_windows_mirrors_and_units",
    "trailing_change": "test_bulk_equals_one_by_one",
}


def columns(name, rows):
    table = [np.array(column) for column in zip(*rows, strict=True)]
    if name in ("volume_surge", "whale_bursts"):
        table[0] = 1_000_000 + np.cumsum(table[0])
    return table


def first(result):
    return result[0] if isinstance(result, tuple) else result


@pytest.mark.parametrize("name", CASES)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_per_event_equals_bulk(name, data):
    """Events one by one, in bulk, and in bulk with the column cut in two give the same values bit for bit."""
    make, kinds = CASES[name]
    rows = data.draw(st.lists(st.tuples(*kinds), min_size=1, max_size=60))
    cut = data.draw(st.integers(0, len(rows)))
    table = columns(name, rows)
    one_by_one, bulk, halves = make(), make(), make()
    expected = np.array([one_by_one.update(*event) for event in zip(*(c.tolist() for c in table), strict=True)])
    whole = first(bulk.update_many(*table))
    parts = [first(halves.update_many(*(c[part] for c in table))) for part in (slice(0, cut), slice(cut, None))]
    assert whole.tobytes() == expected.tobytes() == np.concatenate(parts).tobytes()
    assert np.array_equal(one_by_one.value, bulk.value, equal_nan=True)
    assert one_by_one.initialized == bulk.initialized == halves.initialized


@pytest.mark.parametrize("name", CASES)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_the_future_changes_nothing(name, data):
    """Cutting the input never changes an earlier value."""
    make, kinds = CASES[name]
    rows = data.draw(st.lists(st.tuples(*kinds), min_size=2, max_size=60))
    cut = data.draw(st.integers(1, len(rows) - 1))
    table = columns(name, rows)
    whole = first(make().update_many(*table))
    part = first(make().update_many(*(c[:cut] for c in table)))
    assert whole[:cut].tobytes() == part.tobytes()


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.tuples(STEP_NS, SIZE, SIDE), max_size=50),
    reads=st.lists(st.integers(0, 800), max_size=20).map(sorted),
)
def test_flow_window_read_in_bulk_equals_one_by_one(rows, reads):
    """Reading at chosen times in bulk gives the same bits as feeding and reading one by one."""
    ts = np.cumsum([row[0] for row in rows]).tolist()
    trades = [(t, size, side) for t, (_, size, side) in zip(ts, rows, strict=True)]
    single, bulk = FlowWindow(10, 3), FlowWindow(10, 3)
    expected, waiting = [], list(trades)
    for at in reads:
        while waiting and waiting[0][0] <= at:
            single.update(*waiting.pop(0))
        single.read(at)
        expected.append([single.net_flow, single.volume, single.value])
    times = np.array([t for t, _, _ in trades], dtype=np.int64)
    result = bulk.update_many(times, [s for _, s, _ in trades], np.array([d for *_, d in trades], dtype=int), reads)
    assert result.tobytes() == np.array(expected, dtype=float).reshape(-1, 3).tobytes()


def test_every_indicator_is_held_to_it():
    """Each module with a public indicator is a case here, or names the test of its own that compares both drivers."""
    modules = [importlib.import_module(f"indicators.{m.name}") for m in pkgutil.iter_modules(indicators.__path__)]
    public = {
        module.__name__.rpartition(".")[2]
        for module in modules
        for _, face in inspect.getmembers(module, inspect.isclass)
        if face.__module__ == module.__name__ and hasattr(face, "initialized")
    }
    shared = {"window_quantile"}  # the face of rolling_quantile and tail_quantile, which are cases
    assert public - shared == {*CASES, *OF_THEIR_OWN, "flow_window"}
    for name, test in OF_THEIR_OWN.items():
        assert f"def {test}(" in (Path(__file__).parent / f"test_{name}.py").read_text(encoding="utf-8"), name
