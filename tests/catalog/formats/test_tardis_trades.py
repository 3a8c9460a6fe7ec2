"""Trades of Tardis.dev."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog.anomalies import AnomalyLog, Kind, OnGap
from catalog.formats.tardis_trades import TardisTrades
from catalog.tables import BUYER, NO_AGGRESSOR, SELLER

DATA = Path(__file__).parents[3].parent / "shared" / "data"
HEADER = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
US = 1_582_329_602_000_000
FUTURES = TardisTrades("BTCUSDT", "binance-futures")


def trade(
    trade_id: str,
    side: str = "buy",
    price: str = "9682",
    at: int = 0,
    latency: int = 300,
    exchange: str = "binance-futures",
    symbol: str = "BTCUSDT",
) -> str:
    return f"{exchange},{symbol},{US + at},{US + at + latency},{trade_id},{side},{price},0.132\n"


def read(reader: TardisTrades, folder: Path, text: str) -> tuple[list[dict[str, Any]], list[tuple[Kind, int | None]]]:
    path = folder / "trades.csv"
    path.write_text(text)
    log = AnomalyLog(OnGap.RESYNC)
    rows = [row for chunk in reader.read([path], log, lambda *_: None) for row in chunk.table.to_pylist()]
    return rows, [(a.kind, a.line) for a in (*log.refused, *log.tolerated)]


def test_both_clocks_and_the_takers_side(tmp_path: Path) -> None:
    """ts_init is the local clock with its offset, ts_event the exchange's; an unknown side is none."""
    text = HEADER + trade("5") + trade("6", "sell") + trade("7", "unknown")
    rows, found = read(TardisTrades("BTCUSDT", "binance-futures", clock_offset_ns=7), tmp_path, text)
    assert not found
    assert [row["aggressor_side"] for row in rows] == [BUYER, SELLER, NO_AGGRESSOR]
    assert rows[0] == {
        "price": Decimal(9682),
        "size": Decimal("0.132"),
        "aggressor_side": BUYER,
        "trade_id": "5",
        "ts_event": US * 1000,
        "ts_init": (US + 300) * 1000 + 7,
        "line": 2,
    }


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (trade("5"), Kind.DUPLICATE),
        (trade("6", exchange="binance"), Kind.WRONG_SYMBOL),
        (trade("6", symbol="ETHUSDT"), Kind.WRONG_SYMBOL),
        (trade("6", side="bid"), Kind.BAD_VALUE),
        (trade("6", price="-1"), Kind.BAD_VALUE),
        (trade("6", at=-1, latency=400), Kind.TIME_BACKWARDS),
        (trade("6", at=1, latency=200), Kind.TIME_BACKWARDS),
        (trade("6", latency=300_000_001), Kind.BAD_VALUE),
    ],
)
def test_what_is_wrong_with_a_row(tmp_path: Path, line: str, kind: Kind) -> None:
    """The row is left out and its line named; both clocks must not step back."""
    rows, found = read(FUTURES, tmp_path, HEADER + trade("5") + line)
    assert [row["trade_id"] for row in rows] == ["5"]
    assert found == [(kind, 3)]


@pytest.mark.parametrize(
    ("exchange", "kinds"),
    [("binance-futures", [Kind.ID_JUMP]), ("binance", [Kind.GAP]), ("bybit", [])],
)
def test_missing_ids_by_exchange(tmp_path: Path, exchange: str, kinds: list[Kind]) -> None:
    """Futures withhold ids, spot does not, and Bybit's ids have no order."""
    text = HEADER + trade("5", exchange=exchange) + trade("8", exchange=exchange)
    rows, found = read(TardisTrades("BTCUSDT", exchange), tmp_path, text)
    assert len(rows) == 2
    assert [kind for kind, _ in found] == kinds


def test_a_recorder_behind_the_venue_is_told_once(tmp_path: Path) -> None:
    """Two of three trades were received before they were sent."""
    text = HEADER + trade("5", latency=-900) + trade("6", at=100, latency=-900) + trade("7", at=200, latency=1)
    rows, found = read(FUTURES, tmp_path, text)
    assert len(rows) == 3
    assert found == [(Kind.CLOCK_SKEW, None)]


def test_exchanges() -> None:
    """Tardis's names lead to venues; another name is an error that lists them."""
    ids = {
        "binance": "BTCUSDT.BINANCE_SPOT",
        "binance-futures": "BTCUSDT-PERP.BINANCE",
        "bybit": "BTCUSDT-LINEAR.BYBIT",
        "bybit-spot": "BTCUSDT-SPOT.BYBIT",
    }
    assert {name: TardisTrades("btcusdt", name).market.instrument_id for name in ids} == ids
    assert TardisTrades("BTCUSD_PERP", "binance-delivery").market.inverse
    assert TardisTrades("BTCUSD", "bybit").market.inverse
    with pytest.raises(ValueError, match="binance, binance-futures, binance-delivery, bybit, bybit-spot"):
        TardisTrades("BTCUSDT", "okex")


@pytest.mark.skipif(not DATA.exists(), reason="the shared market data is not beside the checkout")
def test_a_real_file_has_no_findings() -> None:
    """9,999 trades with contiguous ids; received 115 to 437 ms after they were sent."""
    log = AnomalyLog()
    path = DATA / "tardis_csv_2020" / "binance-futures_trades_2020-02-22_BTCUSDT.csv.gz"
    rows = [row for chunk in FUTURES.read([path], log, lambda *_: None) for row in chunk.table.to_pylist()]
    assert not log.counts
    assert [int(row["trade_id"]) for row in rows] == list(range(42_377_944, 42_377_944 + 9_999))
    latencies = [round((row["ts_init"] - row["ts_event"]) / 1e6) for row in rows]
    assert (min(latencies), max(latencies)) == (115, 437)
