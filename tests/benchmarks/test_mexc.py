"""The MEXC adapter: frames a second beside ccxt's reading of the same frames, and the way of a frame to a strategy."""

import asyncio

import numpy as np
import pytest

from tests.benchmarks.mexc_clients import ccxt_client, our_client
from tests.benchmarks.mexc_latency import measure
from tests.benchmarks.mexc_tapes import Tape, made_tape, recorded_tape

FRAMES = 10_000
ROUNDS = 5
CONTRACTS = 8
FRAMES_PER_SECOND = 2_100.0
"""Asked of the venue, whose market is random: what it has sent is what the table says."""
SECONDS = 40.0
TAPES = pytest.mark.parametrize("origin", ["made", "recorded"])


def _tape(origin: str, channel: str, *, merged: bool) -> Tape:
    tape = (
        made_tape(channel, FRAMES, merged=merged) if origin == "made" else recorded_tape(channel, FRAMES, merged=merged)
    )
    if tape is None:
        pytest.skip("the MEXC payload fixtures are not beside this checkout")
    return tape


def _figures(figure, what: str, tape: Tape, ours: float, theirs: float) -> None:
    what = f"{what}, {tape.rows / FRAMES:.1f} rows a frame"
    figure(what, f"{FRAMES / ours / 1e3:.0f} k frames/s", f"ccxt: {FRAMES / theirs / 1e3:.0f} k frames/s")


@TAPES
@pytest.mark.parametrize("merged", [True, False], ids=["merged", "every change"])
def test_depth_frames_to_deltas(benchmark, figure, origin, merged):
    """The bytes of a frame to OrderBookDeltas, in sequence; ccxt decodes the frame and changes its book by it."""
    pytest.importorskip("ccxt.pro")
    tape = _tape(origin, "depth", merged=merged)
    last = tape.frames[-1].split(b'"version":')[1].split(b"}")[0].split(b",")[0]
    ours, kept, theirs = [], [], []

    async def once() -> None:
        async with our_client(tape) as client:
            ours.append(client.read(tape.frames))
            assert (client.count.of["OrderBookDeltas"], client.count.troubles) == (FRAMES, [])
        async with our_client(tape, quotes=True) as client:
            kept.append(client.read(tape.frames))
            assert (client.count.of["OrderBookDeltas"], client.count.troubles) == (FRAMES, [])
        async with ccxt_client(tape) as client:
            theirs.append(client.read(tape.frames))
            assert client.version == int(last)

    benchmark.pedantic(lambda: asyncio.run(once()), rounds=ROUNDS, warmup_rounds=1)
    what = f"depth {'merged' if merged else 'every change'}, {origin}"
    _figures(figure, what, tape, min(ours), min(theirs))
    _figures(figure, f"{what}, book kept and quotes", tape, min(kept), min(theirs))


@TAPES
def test_deal_frames_to_ticks(benchmark, figure, origin):
    """The bytes of a frame to TradeTicks; ccxt decodes the frame and makes its trades of it."""
    pytest.importorskip("ccxt.pro")
    tape = _tape(origin, "deal", merged=True)
    ours, theirs = [], []

    async def once() -> None:
        async with our_client(tape) as client:
            ours.append(client.read(tape.frames))
            assert (client.count.of["TradeTick"], client.count.troubles) == (tape.rows, [])
        async with ccxt_client(tape) as client:
            theirs.append(client.read(tape.frames))
            assert len(client.trades) == 1_000

    benchmark.pedantic(lambda: asyncio.run(once()), rounds=ROUNDS, warmup_rounds=1)
    _figures(figure, f"deals, {origin}", tape, min(ours), min(theirs))


def test_from_the_socket_to_the_strategy(benchmark, figure, tmp_path):
    """Two processes: the local MEXC stamps each frame before it writes it, a node's strategy when it is told.

    Every change of eight books and every print, one a frame. The way: the venue's aiohttp, the kernel, the adapter's
    session and feed, Nautilus's data engine with its queue and its own book, the message bus, the callback.
    """
    result = benchmark.pedantic(lambda: measure(SECONDS, CONTRACTS, FRAMES_PER_SECOND, tmp_path), rounds=1)
    assert result.missing == 0
    assert len(result.trades)
    rate = f"at {result.frames_per_second:.0f} frames/s"
    for what, waits in (
        (f"socket to strategy, trades, {rate}", result.trades),
        (f"socket to strategy, book changes, {rate}", result.changes),
        ("  of that in the node: session to strategy", result.inside),
    ):
        p50, p99, most = (np.percentile(waits, q) / 1e6 for q in (50, 99, 100))
        figure(what, f"p50 {p50:.2f} p99 {p99:.2f} ms", f"max {most:.1f} ms of {len(waits):,} (wall clock)")
