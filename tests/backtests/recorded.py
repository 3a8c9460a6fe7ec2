"""The recorded Binance captures: what is in them, line by line, and each in a catalog."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backtests.market_data import MarketData
from catalog.formats.registry import make_reader
from catalog.pipeline import ingest
from catalog.store import Catalog

RAW = Path(__file__).parents[2].parent / "shared" / "data" / "binance_raw_ws"
needs_captures = pytest.mark.skipif(not RAW.is_dir(), reason="the recorded captures are not beside this checkout")


@dataclass(frozen=True)
class Capture:
    """A recording, and what its README counts in it."""

    symbol: str
    market: str
    files: tuple[str, ...]
    diffs: int
    trades: int
    tickers: int
    instrument_id: str


CAPTURES = {
    "btc2024": Capture(
        "BTCUSDT", "usdm", ("usdm_btcusdt_20240718.gz", "usdm_btcusdt_20240719.gz"), 9_022, 10_701, 52_260,
        "BTCUSDT-PERP.BINANCE",
    ),
    "eth2024": Capture(
        "ETHUSDT", "usdm", ("usdm_ethusdt_20240718.gz", "usdm_ethusdt_20240719.gz"), 8_929, 13_655, 47_328,
        "ETHUSDT-PERP.BINANCE",
    ),
    "btc2023": Capture(
        "BTCUSDT", "usdm", ("usdm_btcusdt_20230404.dat.gz", "usdm_btcusdt_20230405.dat.gz"), 16_110, 12_935, 44_205,
        "BTCUSDT-PERP.BINANCE",
    ),
    "spot2023": Capture(
        "BTCUSDT", "spot", ("spot_btcusdt_20230405.dat.gz",), 3_929, 3_144, 8_015, "BTCUSDT.BINANCE_SPOT",
    ),
}  # fmt: skip
PERPS = ("btc2024", "eth2024", "btc2023")


def raw_events(capture: Capture) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """(receive time in ns, kind, payload) of every line."""
    for name in capture.files:
        with gzip.open(RAW / name, "rt") as lines:
            for line in lines:
                stamp, _, body = line.partition(" ")
                message = json.loads(body)
                data = message.get("data", message)
                kind = "snapshot" if "lastUpdateId" in data else data.get("e", "bookTicker")
                yield int(stamp) * (1 if len(stamp) == 19 else 1000), kind, data


def ingest_capture(root: Path, capture: Capture) -> None:
    """Read a recording into the catalog at `root`."""
    reader = make_reader("binance-capture", capture.symbol, 0, {"market": capture.market})
    ingest(root, "binance-capture", reader, [RAW / file for file in capture.files])


def events(catalog: Catalog, capture: Capture) -> Iterator[Any]:
    for chunk in MarketData(catalog, (capture.instrument_id,)).events():
        yield from chunk
