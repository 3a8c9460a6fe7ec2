"""The rules of whole columns, and that they do not depend on how a file is cut into blocks."""

from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.anomalies import AnomalyLog, IngestRefusedError, Kind, OnGap
from catalog.formats import binance_trades, bybit_trades
from catalog.formats.binance_trades import BinanceTrades
from catalog.formats.bybit_trades import BybitTrades
from catalog.formats.column_checks import decimal_text
from catalog.formats.csv_blocks import read_blocks
from catalog.formats.csv_kernel import to_words
from catalog.formats.reader import Reader

MS = 1_729_209_600_000


def read(
    reader: Reader, module: Any, path: Path, block_bytes: int
) -> tuple[list[dict[str, Any]], list[tuple[Kind, int | None, str]]]:
    log = AnomalyLog(OnGap.RESYNC, limit=10_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "read_blocks", partial(read_blocks, block_bytes=block_bytes))
        rows = [row for chunk in reader.read([path], log, lambda *_: None) for row in chunk.table.to_pylist()]
    return rows, [(a.kind, a.line, a.message) for a in (*log.refused, *log.tolerated)]


ROWS = st.lists(
    st.tuples(
        st.integers(0, 12),  # id step from two below
        st.integers(0, 40),  # seconds from ten back
        st.sampled_from(["100", "100", "120", "160", "70", "0", "-1"]),
    ),
    min_size=1,
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(rows=ROWS, block_bytes=st.integers(1, 400))
def test_findings_do_not_depend_on_blocks(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, str]], block_bytes: int
) -> None:
    """Ids, time order and price steps of any rows give the same verdicts in one block and in many."""
    path = tmp_path_factory.mktemp("checks") / "trades.csv"
    trade_id, ms, lines = 100, MS, []
    for step, wait, price in rows:
        trade_id += step - 2
        ms += (wait - 10) * 1000
        lines.append(f"{trade_id},{price},1,1,1,{ms},true\n")
    path.write_text("".join(lines))
    reader = BinanceTrades("usdm", "X", aggregated=True)
    assert read(reader, binance_trades, path, block_bytes) == read(reader, binance_trades, path, 1 << 20)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1)), min_size=1, max_size=20),
    block_bytes=st.integers(1, 200),
)
def test_repeated_ids_are_found_whatever_the_blocks(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int]], block_bytes: int
) -> None:
    """An id is a duplicate exactly if it stood before at the same time."""
    path = tmp_path_factory.mktemp("checks") / "trades.csv"
    seconds, lines, seen, repeated = 1_585_180_700, ["timestamp,symbol,side,size,price,trdMatchID\n"], set(), []
    for line, (name, wait) in enumerate(rows, 2):
        seconds += wait
        lines.append(f"{seconds},X,Buy,1,100,{name}\n")
        if (seconds, name) in seen:
            repeated.append(line)
        seen.add((seconds, name))
    path.write_text("".join(lines))
    found = read(BybitTrades("linear", "X"), bybit_trades, path, block_bytes)[1]
    assert [(kind, line) for kind, line, _ in found] == [(Kind.DUPLICATE, line) for line in repeated]


def test_a_wrong_price_is_judged_against_the_last_one_that_stands(tmp_path: Path) -> None:
    """Two spikes in a row are two findings, and the return is none."""
    path = tmp_path / "trades.csv"
    prices = ["100", "300", "310", "101"]
    path.write_text("".join(f"{i},{price},1,1,1,{MS + i},true\n" for i, price in enumerate(prices)))
    rows, found = read(BinanceTrades("usdm", "X", aggregated=True), binance_trades, path, 1 << 20)
    assert [row["trade_id"] for row in rows] == ["0", "3"]
    assert [(kind, line) for kind, line, _ in found] == [(Kind.BAD_VALUE, 2), (Kind.BAD_VALUE, 3)]
    assert found[1][2] == "trade price 310 is more than half away from 100"


def test_reading_stops_at_the_limit_of_the_log(tmp_path: Path) -> None:
    """A file of nothing but duplicates ends in a refusal with the first lines."""
    path = tmp_path / "trades.csv"
    path.write_text(f"1,100,1,1,1,{MS},true\n" * 1000)
    log = AnomalyLog(limit=50)
    with pytest.raises(IngestRefusedError) as refusal:
        list(BinanceTrades("usdm", "X", aggregated=True).read([path], log, lambda *_: None))
    assert [a.line for a in refusal.value.anomalies] == list(range(2, 52))


@settings(deadline=None)
@given(mantissa=st.integers(-(2**63) + 1, 2**63 - 1), places=st.integers(0, 16))
def test_words_are_the_exact_product(mantissa: int, places: int) -> None:
    """Low and high word of mantissa times a power of ten, as two's complement; and back as text."""
    low, high = to_words(np.int64(mantissa), np.int64(10**places))  # type: ignore[arg-type]
    product = mantissa * 10**places
    assert (int(low), int(high)) == (product % 2**64, (product >> 64) % 2**64)
    words = np.array([low, high], np.uint64).view(np.int64)
    assert Fraction(decimal_text(words)) == Fraction(product, 10**16)
