"""One trade through everything an asset computes, from Python."""

import time

import numpy as np

from strategies.config import FlowSettings
from strategies.features import AssetFlow, FlowMarket

TRADES = 200_000
START = 1_767_571_200_000_000_000


class _Book:
    def best(self) -> tuple[int, int]:
        return 930_000, 930_001

    def depth_down_to(self, _units: int) -> float:
        return 5.0

    def depth_up_to(self, _units: int) -> float:
        return 3.0


def _flow() -> AssetFlow:
    markets = [
        FlowMarket("perp", is_perp=True, price_places=1, size_places=3),
        FlowMarket("spot", is_perp=False, price_places=2, size_places=5),
    ]
    return AssetFlow("BTC", markets, FlowSettings())


def test_one_trade_through_an_asset(benchmark, figure):
    """CVD, flow windows, surge, whales, bars, EMA, RSI and ATR at once."""
    rng = np.random.default_rng(3)
    number = (rng.random(TRADES) < 0.3).astype(int).tolist()
    price = np.round(93_000 + np.cumsum(rng.normal(0, 0.3, TRADES)), 1).tolist()
    size = np.round(rng.lognormal(-2, 1, TRADES) + 0.001, 3).tolist()
    side = rng.integers(1, 3, TRADES).tolist()
    ts = (START + np.cumsum(rng.integers(1, 60_000_000, TRADES))).tolist()
    events = list(zip(number, price, size, side, ts, strict=True))
    best = float("inf")

    def once() -> None:
        nonlocal best
        on_trade = _flow().on_trade
        begin = time.process_time()
        for event in events:
            on_trade(*event)
        best = min(best, time.process_time() - begin)

    benchmark.pedantic(once, rounds=7, warmup_rounds=1)
    figure("one trade through an asset", f"{best / TRADES * 1e6:.2f} us", "under 1.5")


def test_book_sample_and_snapshot(benchmark, figure):
    """A sample of one book by our side alone, and a whole snapshot."""
    flow, book, samples = _flow(), _Book(), 2_000
    for k in range(200):
        flow.on_trade(0, 93_000.0, 1.0, 1, START + k * 1_000_000_000)
    times = [START + (200 + k) * 1_000_000_000 for k in range(samples)]
    best_sample = best_snapshot = float("inf")

    def once() -> None:
        nonlocal best_sample, best_snapshot
        begin = time.process_time()
        for ts in times:
            flow.on_book(0, book, ts)
            flow.on_sample(ts)
        middle = time.process_time()
        for _ in range(samples):
            flow.snapshot(times[-1])
        best_sample = min(best_sample, middle - begin)
        best_snapshot = min(best_snapshot, time.process_time() - middle)

    benchmark.pedantic(once, rounds=5, warmup_rounds=1)
    figure("one book sample, our side", f"{best_sample / samples * 1e6:.1f} us", "")
    figure("one snapshot of an asset", f"{best_snapshot / samples * 1e6:.1f} us", "")
