"""A trading node on the local MEXC whose strategy notes when each trade and each change of a book reaches it."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nautilus_trader.config import LoggingConfig, StrategyConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import OrderBookDeltas, TradeTick
from nautilus_trader.model.enums import BookType
from nautilus_trader.model.identifiers import InstrumentId, TraderId
from nautilus_trader.trading.strategy import Strategy

from adapters.mexc.config import MexcDataClientConfig
from adapters.mexc.factories import MexcLiveDataClientFactory
from adapters.mexc.symbols import MEXC_VENUE

ROOT = Path(__file__).parents[2]
SETTLING_SECONDS = 3.0
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Venue:
    """Where the paced venue listens."""

    rest: str
    socket: str
    process: "subprocess.Popen[str]"


@dataclass(frozen=True)
class Latencies:
    """Nanoseconds from the venue's stamp to the strategy, and how many frames a second the venue sent meanwhile."""

    trades: np.ndarray
    changes: np.ndarray
    inside: np.ndarray
    """From the session's reading of the frame (``ts_init``) to the strategy: a part of the above."""
    frames_per_second: float
    missing: int
    """Frames of the span that never came to the strategy."""


type Told = tuple[int, int, str, str, int]
"""Monotonic and UNIX ns of the callback, instrument, version or trade id, ``ts_init``."""


class Listener(Strategy):
    """Trades and books of all contracts; nothing is done with them but to note the time.

    Plain numbers and texts are kept, not the data: objects by the ten thousand would make the collector's pauses.
    """

    def __init__(self, config: StrategyConfig) -> None:
        super().__init__(config)
        self.changes: list[Told] = []
        self.trades: list[Told] = []
        self.books: set[InstrumentId] = set()

    def on_start(self) -> None:
        for instrument in self.cache.instruments(venue=MEXC_VENUE):
            self.subscribe_trade_ticks(instrument.id)
            self.subscribe_order_book_deltas(instrument.id, BookType.L2_MBP)

    def on_order_book_deltas(self, deltas: OrderBookDeltas) -> None:
        if deltas.is_snapshot:
            self.books.add(deltas.instrument_id)
        else:
            now = time.monotonic_ns(), time.time_ns()
            self.changes.append((*now, deltas.instrument_id.value, str(deltas.sequence), deltas.ts_init))

    def on_trade_tick(self, tick: TradeTick) -> None:
        now = time.monotonic_ns(), time.time_ns()
        self.trades.append((*now, tick.instrument_id.value, tick.trade_id.value, tick.ts_init))


def measure(seconds: float, contracts: int, frames_per_second: float, folder: Path) -> Latencies:
    """Run both processes for so long after the last book has come."""
    stamps = folder / "stamps.json"
    with paced_venue(contracts, frames_per_second, stamps) as venue:
        listener, span = asyncio.run(_listen(venue, contracts, seconds))
        venue.process.communicate(timeout=PATIENCE_SECONDS)
    return _compare(listener, span, json.loads(stamps.read_text()))


@contextmanager
def paced_venue(contracts: int, frames_per_second: float, stamps: Path) -> Iterator[Venue]:
    """The venue in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.mexc_paced_venue", "--contracts", str(contracts)]
    command += ["--frames", str(frames_per_second), "--stamps", str(stamps)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603  # our own code
    try:
        assert process.stdout is not None
        addresses = json.loads(process.stdout.readline())
        yield Venue(addresses["rest"], addresses["socket"], process)
    finally:
        process.kill()
        process.wait()


async def _listen(venue: Venue, contracts: int, seconds: float) -> tuple[Listener, tuple[int, int]]:
    """The strategy, and the span of the measurement."""
    config = TradingNodeConfig(
        trader_id=TraderId("BENCH-001"),
        logging=LoggingConfig(log_level="OFF"),
        data_clients={
            "MEXC": MexcDataClientConfig(
                base_url_http=venue.rest, base_url_ws=venue.socket, merged_depth=False, merged_trades=False
            )
        },
        timeout_post_stop=0.1,
    )
    node = TradingNode(config, loop=asyncio.get_running_loop())
    node.add_data_client_factory("MEXC", MexcLiveDataClientFactory)
    node.build()
    listener = Listener(StrategyConfig(strategy_id="LISTENER-1"))
    node.trader.add_strategy(listener)
    task = asyncio.create_task(node.run_async())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(listener.books) < contracts:
                await asyncio.sleep(0.1)
        await asyncio.sleep(SETTLING_SECONDS)
        begin = time.monotonic_ns()
        await asyncio.sleep(seconds)
        end = time.monotonic_ns()
        await asyncio.sleep(1.0)  # the span's last frames arrive
    finally:
        await node.stop_async()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return listener, (begin, end)


def _compare(listener: Listener, span: tuple[int, int], stamps: list[tuple[int, str, str]]) -> Latencies:
    """Match what the venue sent within the span with what the strategy was told, by contract and version or id."""
    sent = {(symbol.replace("_", ""), name): at for at, symbol, name in stamps if span[0] <= at < span[1]}
    inside: list[int] = []

    def waits(told: list[Told]) -> np.ndarray:
        found = []
        for at, unix_ns, market, name, ts_init in told:
            begin = sent.get((market.partition("-")[0], name))
            if begin is not None:
                found.append(at - begin)
                inside.append(unix_ns - ts_init)
        return np.array(found, dtype=np.int64)

    trades, changes = waits(listener.trades), waits(listener.changes)
    return Latencies(
        trades,
        changes,
        np.array(inside, dtype=np.int64),
        frames_per_second=len(sent) / ((span[1] - span[0]) / 1e9),
        missing=len(sent) - len(trades) - len(changes),
    )
