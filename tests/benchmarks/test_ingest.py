"""Ingest: source file to committed catalog, everything included."""

import gzip
import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from catalog.formats.registry import make_reader
from catalog.pipeline import ingest

TRADES = 2_000_000
FRAMES, LEVELS = 20_000, 40
START_MS = 1_767_571_200_000


@pytest.fixture(scope="module")
def agg_trades(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A futures aggTrades dump of two million rows, as the venue publishes it but not zipped."""
    rng = np.random.default_rng(5)
    price = np.round(93_000 + np.cumsum(rng.normal(0, 0.5, TRADES)), 1)
    size = np.round(rng.lognormal(-3, 1.5, TRADES) + 0.001, 3)
    when = START_MS + np.cumsum(rng.integers(0, 60, TRADES))
    path = tmp_path_factory.mktemp("dump") / "BTCUSDT-aggTrades.csv"
    with path.open("w") as out:
        out.write("agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n")
        sides = np.where(rng.random(TRADES) < 0.5, "true", "false")
        columns = (price.tolist(), size.tolist(), when.tolist(), sides.tolist())
        out.writelines(
            f"{i},{p:.1f},{q:.3f},{i},{i},{t},{m}\n" for i, (p, q, t, m) in enumerate(zip(*columns, strict=True))
        )
    return path


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw USDT-M capture with a snapshot and 20,000 diffs of 40 levels, gzipped as recorders write it."""
    rng = np.random.default_rng(6)
    path = tmp_path_factory.mktemp("capture") / "usdm_btcusdt.gz"
    sizes = np.round(rng.lognormal(0, 1, (FRAMES, LEVELS)), 3) * (rng.random((FRAMES, LEVELS)) < 0.8)
    away = rng.integers(1, 1_000, (FRAMES, LEVELS))

    def side(n: int, sign: int, columns: slice) -> list[list[str]]:
        ticks = np.unique(away[n, columns], return_index=True)
        return [[f"{93_000 + sign * t * 0.1:.2f}", f"{sizes[n, columns][k]:.3f}"] for t, k in zip(*ticks, strict=True)]

    with gzip.open(path, "wt", compresslevel=6) as out:
        for n in range(FRAMES):
            when = START_MS + n * 100
            if n == 0:
                full = {
                    "lastUpdateId": 1_000,
                    "E": when,
                    "T": when,
                    "bids": [[f"{93_000 - k * 0.1:.2f}", "1.000"] for k in range(1, 1_001)],
                    "asks": [[f"{93_000 + k * 0.1:.2f}", "1.000"] for k in range(1, 1_001)],
                }
                out.write(f"{when}000000 {json.dumps(full, separators=(',', ':'))}\n")
            last = 1_000 + n * 10
            data = {"e": "depthUpdate", "E": when, "T": when, "s": "BTCUSDT", "U": last + 1, "u": last + 10, "pu": last}
            data |= {"b": side(n, -1, slice(0, LEVELS // 2)), "a": side(n, 1, slice(LEVELS // 2, LEVELS))}
            frame = {"stream": "btcusdt@depth@0ms", "data": data}
            out.write(f"{when}500000 {json.dumps(frame, separators=(',', ':'))}\n")
    return path


def _measure(benchmark, tmp_path, source: Path, format_name: str) -> tuple[float, int]:
    reader = make_reader(format_name, "BTCUSDT", 0, {"market": "usdm"})
    out = tmp_path / "catalog"
    best, rows = float("inf"), 0

    def once() -> None:
        nonlocal best, rows
        shutil.rmtree(out, ignore_errors=True)
        begin = time.process_time()
        result = ingest(out, format_name, reader, [source])
        best = min(best, time.process_time() - begin)
        rows = sum(s.rows for s in result.entry.series)

    benchmark.pedantic(once, rounds=3, warmup_rounds=1)
    return best, rows


def test_agg_trades(benchmark, agg_trades, tmp_path, figure):
    """Two million trades, inferred definition."""
    seconds, rows = _measure(benchmark, tmp_path, agg_trades, "binance-aggtrades")
    assert rows == TRADES
    figure("ingest of trades", f"{rows / seconds / 1e6:.2f} M rows/s", "1 or better")


def test_raw_capture(benchmark, capture, tmp_path, figure):
    """Raw lines to the catalog: gzip, JSON, sequence rules, crossed-book check, Parquet."""
    seconds, rows = _measure(benchmark, tmp_path, capture, "binance-capture")
    figure("ingest of raw book diffs", f"{rows / seconds / 1e3:.0f} k levels/s", "300 or better")
