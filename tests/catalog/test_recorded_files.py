"""Every recorded file of the public formats, through the pipeline into a catalog."""

from pathlib import Path

import pytest

from catalog.anomalies import IngestRefusedError
from catalog.anomalies import Kind as Anomaly
from catalog.formats.registry import make_reader
from catalog.pipeline import ingest
from catalog.store import Catalog

DATA = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data is not beside this checkout")

TRX = "binance_trx_csv/{}"
GOOD = {
    "ape": ("binance-aggtrades", "APEUSDT", {"market": "usdm"}, "binance_public_dumps/futures-APEUSDT-aggTrades-2024-10-18.zip", 45_342),
    "klines perp": (
        "binance-klines", "BTCUSDT", {"market": "usdm", "interval": "1h"}, "binance_public_dumps/futures-um-klines-BTCUSDT-1h-2024-10-28.zip", 24,
    ),
    "klines spot": (
        "binance-klines", "BTCUSDT", {"market": "spot", "interval": "1h"}, "binance_public_dumps/spot-klines-BTCUSDT-1h-2024-10-28.zip", 24,
    ),
    "tardis trades": (
        "tardis-trades", "BTCUSDT", {"exchange": "binance-futures"}, "tardis_csv_2020/binance-futures_trades_2020-02-22_BTCUSDT.csv.gz", 9_999,
    ),
    "tardis quotes": (
        "tardis-quotes", "BTCUSDT", {"exchange": "binance-futures"}, "tardis_csv_2020/binance-futures_quotes_2020-02-22_BTCUSDT.csv.gz", 9_999,
    ),
    # ten snapshots: a CLEAR and the levels of both sides each
    "tardis 5": (
        "tardis-book-snapshot", "BTCUSDT", {"exchange": "binance-futures"}, "tardis_csv_2020/binance-futures_book_snapshot_5_BTCUSDT.csv", 10 * 11,
    ),
    "tardis 25": (
        "tardis-book-snapshot", "BTCUSDT", {"exchange": "binance-futures"}, "tardis_csv_2020/binance-futures_book_snapshot_25_BTCUSDT.csv", 10 * 51,
    ),
    "bybit": ("bybit-book", "XRPUSDT", {"market": "linear"}, "wire_samples/xrpusdt-ob500.data.zip", None),
    **{
        f"trx {kind} {market}": (
            "binance-stream-csv", symbol.upper(), {"market": market}, TRX.format(f"test_positive_binance_{kind}_stream_{name}_{symbol}_04-03-2025.csv.gz"), None,
        )
        for kind in ("trade", "difference_depth")
        for market, name, symbol in (("spot", "spot", "trxusdt"), ("usdm", "usd_m_futures", "trxusdt"), ("coinm", "coin_m_futures", "trxusd_perp"))
    },
    "trx snapshots": (
        "binance-stream-csv", "BTCUSDT", {"market": "spot"}, TRX.format("test_positive_binance_depth_snapshot_spot_btcusdt_14-04-2025.csv.gz"), 20_002,
    ),
    "trx merged": (
        "binance-stream-csv", "TRXUSDT", {"market": "usdm"},
        TRX.format("merged_depth_snapshot_difference_depth_stream_trade_stream_usd_m_futures_trxusdt_14-04-2025_positive.csv.gz"), None,
    ),
    # named negative, but the same bytes of data as its positive twin
    "trx diff usdm, no corruption": (
        "binance-stream-csv", "TRXUSDT", {"market": "usdm"}, TRX.format("test_negative_binance_difference_depth_stream_usd_m_futures_trxusdt_04-03-2025.csv.gz"), None,
    ),
}  # fmt: skip

BAD = {
    "trade usdm: price -1": ("usdm", "TRXUSDT", "test_negative_binance_trade_stream_usd_m_futures_trxusdt_04-03-2025.csv.gz", {(Anomaly.BAD_VALUE, 2)}),
    "trade spot: repeated id, last row half a day late": (
        "spot", "TRXUSDT", "test_negative_binance_trade_stream_spot_trxusdt_04-03-2025.csv.gz", {(Anomaly.DUPLICATE, 4), (Anomaly.BAD_VALUE, 10_001)},
    ),
    "trade coinm: repeated id, last row half a day late": (
        "coinm", "TRXUSD_PERP", "test_negative_binance_trade_stream_coin_m_futures_trxusd_perp_04-03-2025.csv.gz",
        {(Anomaly.DUPLICATE, 4), (Anomaly.BAD_VALUE, 10_001)},
    ),
    "diff coinm: symbol, times, side 2, broken chain": (
        "coinm", "TRXUSD_PERP", "test_negative_binance_difference_depth_stream_coin_m_futures_trxusd_perp_04-03-2025.csv.gz",
        {(Anomaly.WRONG_SYMBOL, 2), (Anomaly.BAD_VALUE, 3), (Anomaly.BAD_VALUE, 4)},
    ),
    "diff spot: time 0, price -1, broken chain": (
        "spot", "TRXUSDT", "test_negative_binance_difference_depth_stream_spot_trxusdt_04-03-2025.csv.gz", {(Anomaly.BAD_VALUE, 2), (Anomaly.GAP, 9)},
    ),
    "snapshot: receive time 1": (
        "spot", "BTCUSDT", "test_negative_binance_depth_snapshot_spot_btcusdt_14-04-2025.csv.gz", {(Anomaly.BAD_VALUE, 32)},
    ),
    "merged: receive time hours early, final id + 1": (
        "usdm", "TRXUSDT",
        "merged_depth_snapshot_difference_depth_stream_trade_stream_usd_m_futures_trxusdt_14-04-2025_negative.csv.gz", {(Anomaly.BAD_VALUE, 146), (Anomaly.GAP, 7_697)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_sound_files_ingest_whole(name: str, tmp_path: Path) -> None:
    """The file is committed without a refused finding, with all its rows."""
    format_name, symbol, options, file, rows = GOOD[name]
    result = ingest(tmp_path / "c", format_name, make_reader(format_name, symbol, 0, options), [DATA / file])
    stored = sum(s.rows for s in result.entry.series)
    assert stored == rows if rows is not None else stored > 1_000
    assert Catalog(tmp_path / "c").instruments()


@pytest.mark.parametrize("name", BAD)
def test_corrupted_files_are_refused_for_the_right_reason(name: str, tmp_path: Path) -> None:
    """Each planted corruption that the file itself gives away is named with its line, and nothing is written."""
    market, symbol, file, planted = BAD[name]
    reader = make_reader("binance-stream-csv", symbol, 0, {"market": market})
    with pytest.raises(IngestRefusedError) as refused:
        ingest(tmp_path / "c", "binance-stream-csv", reader, [DATA / TRX.format(file)])
    assert planted <= {(a.kind, a.line) for a in refused.value.anomalies}, str(refused.value)
    assert not (tmp_path / "c").exists()
