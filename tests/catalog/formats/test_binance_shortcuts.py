"""Captures read by the compiled parsers against the same captures read by the JSON parser alone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.anomalies import Anomaly, AnomalyLog, OnGap
from catalog.formats import binance_capture, binance_events, binance_ticker
from catalog.formats.binance_capture import BinanceCapture
from catalog.formats.binance_events import BinanceEvents
from catalog.formats.binance_ticker import TickerReader
from catalog.formats.level_kernel import Cut, LevelReader
from catalog.formats.lines import read_lines
from catalog.tables import SCHEMAS, Kind

CAPTURES = Path(__file__).parents[3].parent / "shared" / "data" / "binance_raw_ws"
needs_captures = pytest.mark.skipif(not CAPTURES.exists(), reason="the captures are not beside the checkout")

T0 = 1_721_347_021_000  # ms
Frame = dict[str, Any]


@contextmanager
def without_shortcuts() -> Iterator[None]:
    """No levels are cut out, and nobody ever learns how tickers are read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LevelReader, "cut", lambda *_: None)
        patch.setattr(TickerReader, "learn", lambda *_: None)
        yield


@dataclass
class Result:
    tables: dict[Kind, pa.Table]
    refused: list[Anomaly]
    tolerated: list[Anomaly]


def read(reader: BinanceCapture, files: list[Path]) -> Result:
    log = AnomalyLog(OnGap.RESYNC, limit=10_000)
    tables = {kind: [SCHEMAS[kind].empty_table()] for kind in Kind}
    for chunk in reader.read(files, log, lambda *_: None):
        tables[chunk.kind].append(chunk.table)
    joined = {kind: pa.concat_tables(parts).combine_chunks() for kind, parts in tables.items()}
    return Result(joined, sorted(log.refused, key=place), sorted(log.tolerated, key=place))


def place(anomaly: Anomaly) -> tuple[str, int, str]:
    """What is wrong with texts is told chunk by chunk: only the place of a finding does not depend on chunks."""
    return anomaly.file, anomaly.line or 0, anomaly.message


ODD = ["0", "0.000", "-1", "1e3", ".5", "5.", "", "x", "+1", " 1", "1_0", "nan", "007.5", "٣", '1"', "1\\", "]", "}"]
LONG = ["123456789.0000000000000001", "999999999999999999", "9999999999999999999", "0.00000000000000001"]
NUMBERS = st.one_of(
    st.from_regex(r"[1-9][0-9]{0,5}(\.[0-9]{1,8})?", fullmatch=True), st.sampled_from(ODD), st.sampled_from(LONG)
)
PLAIN = st.from_regex(r"[1-9][0-9]{0,5}(\.[0-9]{1,3})?", fullmatch=True)


def rarely(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 9).flatmap(lambda die: usual if die < 9 else odd)


JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 5, 1.5, "5", "", [], {}, [[]], [["1"]], [["1", "2", "3"]], [[1, 2]], 2**63, T0 * 1000]
)
SIDES = rarely(st.lists(st.tuples(rarely(PLAIN, NUMBERS), rarely(PLAIN | st.just("0.000"), NUMBERS)), max_size=4), JUNK)


@st.composite
def frames(draw: st.DrawFn, ids: Iterator[int], spot: bool) -> Frame:
    """A frame of any stream, mostly good."""
    kind = draw(st.sampled_from(["depth", "bookTicker", "bookTicker", "bookTicker", "trade"]))
    event = T0 + draw(rarely(st.integers(0, 3), st.sampled_from([-T0, -5, 400_000, T0 * 999])))
    number = next(ids)
    times = {"E": event, "T": event - draw(st.integers(0, 2))}
    if kind == "depth":
        payload = {"e": "depthUpdate", **times, "s": "BTCUSDT", "U": number, "u": number, "pu": number - 1}
        payload |= {"b": draw(SIDES), "a": draw(SIDES)}
    elif kind == "trade":
        payload = {"e": "trade", **times, "s": "BTCUSDT", "t": number, "p": "10", "q": "1", "X": "MARKET", "m": True}
    else:
        best = {side: draw(rarely(PLAIN, NUMBERS)) for side in "bBaA"}
        payload = {"u": number, "s": "BTCUSDT", **best}
        if not spot:
            payload = {"e": "bookTicker", **payload, "T": times["T"], "E": event}
    if draw(rarely(st.just(False), st.just(True))):
        payload[draw(st.sampled_from(list(payload)))] = draw(JUNK | st.just("ETHUSDT"))
    if draw(rarely(st.just(False), st.just(True))):
        payload = dict(draw(st.permutations(list(payload.items()))))
    channel = draw(
        rarely(st.just(kind), st.sampled_from(["depth@100ms", "depth20", "bookTicker", "trade", "aggTrade"]))
    )
    symbol = draw(rarely(st.just("btcusdt"), st.sampled_from(["ethusdt", "BTCUSDT"])))
    whole: Frame = {"stream": f"{symbol}@{channel}", "data": payload}
    odd: list[Frame] = [
        payload,
        {"data": payload, "stream": whole["stream"]},
        {"stream": whole["stream"], "data": {"u": 1}, "other": payload},
        {**whole, "other": 1},
        {"stream": payload, "data": payload},
        {"stream": whole["stream"], "data": {"inner": payload}},
        {"lastUpdateId": number, "bids": draw(SIDES), "asks": draw(SIDES)},
    ]
    return draw(rarely(st.just(whole), st.sampled_from(odd)))


@st.composite
def captures(draw: st.DrawFn, spot: bool) -> list[bytes]:
    ids = iter(range(1, 1_000))
    received = T0 * 1_000_000
    lines = []
    for _ in range(draw(st.integers(1, 20))):
        received += draw(rarely(st.integers(0, 1_000_000), st.sampled_from([-1_000_000, 400_000_000_000])))
        stamp = draw(rarely(st.just(b"%d" % received), st.sampled_from([b"%d" % (received // 1000), b"0", b"x", b""])))
        separators = draw(rarely(st.just((",", ":")), st.just((", ", ": "))))
        text = json.dumps(draw(frames(ids, spot)), separators=separators, ensure_ascii=draw(st.booleans())).encode()
        if draw(rarely(st.just(False), st.just(True))):
            at = draw(st.integers(0, len(text) - 1))
            text = (
                text[:at]
                + draw(st.sampled_from([b"", b" ", b'"', b"}", b"]", b",", b"0", b"\x00", b"\xff"]))
                + text[at + 1 :]
            )
        lines.append(stamp + b" " + text)
    return lines


@pytest.mark.parametrize("market", ["usdm", "spot"])
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_capture_reads_the_same_without_the_shortcuts(
    tmp_path_factory: pytest.TempPathFactory, market: Any, data: st.DataObject
) -> None:
    """Rows and findings, their lines and words, in one file or two, whatever a line looks like."""
    lines = data.draw(captures(market == "spot"))
    cut = data.draw(st.integers(0, len(lines) - 1))
    folder = tmp_path_factory.mktemp("capture")
    files = []
    for name, part in (("1", lines[:cut]), ("2", lines[cut:])):
        if part:
            files.append(folder / name)
            files[-1].write_bytes(b"\n".join(part))
    reader = BinanceCapture(market, "BTCUSDT", clock_offset_ns=data.draw(st.sampled_from([0, 1_000])))
    with pytest.MonkeyPatch.context() as patch:
        rows = data.draw(st.sampled_from([2, 65_536]))
        for module in (binance_capture, binance_events, binance_ticker):
            patch.setattr(module, "CHUNK_ROWS", rows)
        short = read(reader, files)
        with without_shortcuts():
            long = read(reader, files)
    assert short.refused == long.refused
    assert short.tolerated == long.tolerated
    assert short.tables == long.tables


@needs_captures
@pytest.mark.parametrize(
    ("market", "name"), [("usdm", "usdm_btcusdt_20240718.gz"), ("spot", "spot_btcusdt_20230405.dat.gz")]
)
def test_real_lines_take_the_shortcuts(monkeypatch: pytest.MonkeyPatch, market: Any, name: str) -> None:
    """As the venue writes them, every diff is cut and every ticker but the first is read without JSON."""
    quotes = []
    cut = LevelReader.cut
    diffs: list[Cut | None] = []

    def counting(reader: LevelReader, message: bytes) -> Cut | None:
        found = cut(reader, message)
        if b'"depthUpdate"' in message:
            diffs.append(found)
        return found

    monkeypatch.setattr(BinanceEvents, "quote", lambda *row: quotes.append(row))
    monkeypatch.setattr(LevelReader, "cut", counting)
    result = read(BinanceCapture(market, "BTCUSDT"), [CAPTURES / name])
    lines = [line for _, line in read_lines(CAPTURES / name, AnomalyLog(), lambda *_: None)]
    assert len(quotes) == 1
    assert result.tables[Kind.QUOTES].num_rows == sum(b"@bookTicker" in line for line in lines) - 1
    assert len(diffs) == sum(b'"depthUpdate"' in line for line in lines)
    assert None not in diffs


@needs_captures
@pytest.mark.parametrize(
    ("market", "name"), [("usdm", "usdm_btcusdt_20240718.gz"), ("spot", "spot_btcusdt_20230405.dat.gz")]
)
def test_real_captures_read_the_same_without_the_shortcuts(market: Any, name: str) -> None:
    """All rows and findings of a capture."""
    reader = BinanceCapture(market, "BTCUSDT")
    short = read(reader, [CAPTURES / name])
    with without_shortcuts():
        long = read(reader, [CAPTURES / name])
    assert short == long
