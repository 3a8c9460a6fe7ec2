"""What an asset's flow costs: a trade, a book sample, the levels of a book, a snapshot."""

import time

import numpy as np
import pytest
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BookOrder
from nautilus_trader.model.enums import BookType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity

from indicators.kernel import kernel
from strategies.config import FlowSettings
from strategies.features import AssetFlow, FlowMarket
from strategies.flow.events import exact_trade_at
from strategies.flow_actor import NautilusBookView

TRADES = 200_000
START = 1_767_571_200_000_000_000
SECOND = 1_000_000_000
MID, LEVELS = 930_000, 200


class _Book:
    """A book whose answers cost nothing."""

    def __init__(self) -> None:
        rng = np.random.default_rng(9)
        away = 1 + 9 * np.arange(LEVELS)
        self._count = 0
        self._bids, self._asks = (MID - away, rng.lognormal(0, 1, LEVELS)), (MID + away, rng.lognormal(0, 1, LEVELS))

    @property
    def updates(self) -> int:
        self._count += 1
        return self._count

    def best(self) -> tuple[int, int]:
        return MID - 1, MID + 1

    def depths(self, _bids, _asks):
        return 5.0, 5.0, 5.0, 3.0, 3.0, 3.0

    def levels_down_to(self, _units: int):
        return self._bids[0].copy(), self._bids[1].copy()

    def levels_up_to(self, _units: int):
        return self._asks[0].copy(), self._asks[1].copy()


def _flow() -> AssetFlow:
    markets = [FlowMarket(f"perp {k}", is_perp=True, price_places=1, size_places=3) for k in range(3)]
    markets += [FlowMarket(f"spot {k}", is_perp=False, price_places=2, size_places=5) for k in range(3)]
    return AssetFlow("BTC", markets, FlowSettings())


def _trades():
    """About 70 a second, as BTC has on six markets, in clusters as takers come."""
    rng = np.random.default_rng(3)
    number = rng.choice(6, TRADES, p=[0.37, 0.18, 0.13, 0.18, 0.09, 0.05])
    price = np.round(93_000 + np.cumsum(rng.normal(0, 0.3, TRADES)), 1)
    size = np.round(rng.lognormal(-2, 1, TRADES) + 0.001, 3)
    side = rng.integers(1, 3, TRADES)
    gaps = np.where(rng.random(TRADES) < 0.7, rng.exponential(2e6, TRADES), rng.exponential(43e6, TRADES))
    return number, price, size, side, START + np.cumsum(1 + gaps.astype(np.int64))


@kernel
def _play(states, number, price, size, side, ts):
    for k in range(len(ts)):
        exact_trade_at(states, number[k], price[k], size[k], side[k], ts[k])


def test_one_trade_through_the_whole_suite(benchmark, figure):
    """Everything that a trade touches, from Python as the actor calls it and compiled as the bulk driver does."""
    columns = _trades()
    events = list(zip(*(c.tolist() for c in columns), strict=True))
    _play(_flow()._states, *(c[:10] for c in columns))
    single = bulk = float("inf")

    def once() -> None:
        nonlocal single, bulk
        flow = _flow()
        begin = time.process_time()
        for event in events:
            flow.on_trade(*event)
        single = min(single, time.process_time() - begin)
        flow = _flow()
        begin = time.process_time()
        _play(flow._states, *columns)
        bulk = min(bulk, time.process_time() - begin)

    benchmark.pedantic(once, rounds=7, warmup_rounds=1)
    figure("one trade through the whole suite, from Python", f"{single / TRADES * 1e6:.2f} us", "under 1.5")
    figure("trades through the whole suite, compiled loop", f"{TRADES / bulk / 1e6:.1f} M/s", "20 or better")


def test_book_sample_levels_and_snapshot(benchmark, figure):
    """Our side alone: the bands of a sample; walls, heat, density, clusters of 200 levels a side; a whole snapshot."""
    flow, book, rounds = _flow(), _Book(), 500
    for k in range(200):
        flow.on_trade(0, 93_000.0, 1.0, 1, START + k * SECOND)
    best: dict[str, float] = {}
    clock = START + 200 * SECOND

    def timed(name: str, step: int, call) -> None:
        nonlocal clock
        times = [clock + (k + 1) * step for k in range(rounds)]
        clock = times[-1]
        begin = time.process_time()
        for ts in times:
            call(ts)
        best[name] = min(best.get(name, float("inf")), (time.process_time() - begin) / rounds)

    def once() -> None:
        timed("levels", 5 * SECOND, lambda ts: (flow.on_book(0, book, ts), flow.on_sample(ts)))
        timed("sample", 5 * SECOND, lambda ts: (flow.on_book(0, book, ts + 1), flow.on_sample(ts + 1)))
        flow.on_book(0, book, clock)
        timed("snapshot", 0, flow.snapshot)

    benchmark.pedantic(once, rounds=7, warmup_rounds=1)
    figure("one book sample, our side", f"{best['sample'] * 1e6:.1f} us", "")
    figure("the same with 200 levels a side and a scan", f"{best['levels'] * 1e6:.1f} us", "under 60")
    figure("one snapshot of an asset", f"{best['snapshot'] * 1e6:.1f} us", "under 60")


@pytest.mark.parametrize("depth", [60, 1_000])
def test_getting_levels_out_of_nautiluss_book(benchmark, figure, depth):
    """The levels within reach by an order that nobody sends, beside making an object of every level."""
    book = OrderBook(InstrumentId.from_str("BTCUSDT.BINANCE"), BookType.L2_MBP)
    for k in range(depth):
        for side, sign in ((OrderSide.BUY, -1), (OrderSide.SELL, 1)):
            price = Price((MID + sign * (1 + 9 * k)) / 10, 1)
            book.add(BookOrder(side, price, Quantity(1 + k % 7, 3), 0), 0, 0, 0)
    view = NautilusBookView(book, 1, 3)
    reach = MID - 9 * LEVELS
    best = {"ours": float("inf"), "all": float("inf"), "bands": float("inf")}

    def timed(name: str, call) -> None:
        begin = time.process_time()
        for _ in range(50):
            call()
        best[name] = min(best[name], (time.process_time() - begin) / 50)

    def once() -> None:
        timed("ours", lambda: view.levels_down_to(reach))
        timed("all", lambda: [(level.price.as_double(), level.size()) for level in book.bids()[:LEVELS]])
        timed("bands", lambda: view.depths((reach, reach, reach), (2 * MID - reach,) * 3))

    benchmark.pedantic(once, rounds=7, warmup_rounds=1)
    assert view.levels_down_to(reach)[0].tolist() == [MID - 1 - 9 * k for k in range(min(depth, LEVELS))]
    figure(f"levels within reach, book of {depth} a side", f"{best['ours'] * 1e6:.0f} us", "")
    figure(f"the same by bids(), book of {depth} a side", f"{best['all'] * 1e6:.0f} us", "")
    figure(f"six depths, book of {depth} a side", f"{best['bands'] * 1e6:.1f} us", "")
