"""Checks of whole columns: the rules of the row-wise readers, a block of rows at a time."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from catalog.anomalies import AnomalyLog, Kind
from catalog.formats.clock import EARLIEST_NS, LATEST_NS, Clock, ClockValueError
from catalog.formats.csv_blocks import CsvBlock, Ints, Words, is_negative, is_zero, to_doubles
from catalog.formats.trade_rules import FAR_OFF, FAR_OFF_WITHIN_NS, WITHHELD_IDS
from catalog.tables import DECIMAL

type Mask = npt.NDArray[np.bool_]


class Findings:
    """What is wrong with the rows of one block, told in the order of lines; `good` marks the rows that stand."""

    def __init__(self, block: CsvBlock, path: Path, log: AnomalyLog) -> None:
        self.good: Mask = np.ones(len(block), np.bool_)
        self._lines = block.lines
        self._path = path
        self._log = log
        self._found: list[tuple[int, Kind, str]] = []

    def reject(self, bad: Mask, kind: Kind, message: Callable[[int], str]) -> None:
        """Leave out the rows under `bad`, and say why for those that stood until now."""
        if not bad.any():
            return
        # the log takes no more than its limit of findings that refuse the data
        for row in np.flatnonzero(bad & self.good)[: self._log.limit].tolist():
            self._found.append((row, kind, message(row)))
        self.good &= ~bad

    def note(self, rows: Ints, kind: Kind, message: Callable[[int], str]) -> None:
        """Tell something about rows that stand."""
        self._found.extend((row, kind, message(row)) for row in rows.tolist())

    def report(self, ts: Ints) -> None:
        """Hand the findings to the log; `ts` are the times of all rows of the block, UNIX ns."""
        for row, kind, message in sorted(self._found, key=lambda found: found[0]):
            self._log.report(kind, self._path, int(self._lines[row]), message, int(ts[row]) or None)


def decimal_text(word: Words) -> str:
    """One decimal of a column of words as a person would write it."""
    value = (int(word[1]) << 64) | int(word[0].astype(np.uint64))
    whole, fraction = divmod(abs(value), 10**DECIMAL.scale)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{fraction:0{DECIMAL.scale}d}".rstrip("0").rstrip(".")


def times_in_ns(clock: Clock, values: Ints, findings: Findings) -> Ints:
    """A clock column in UNIX ns; 0 where it is no time of the column's unit, which is reported."""
    for value in values[:1].tolist() if clock.multiplier else values.tolist():
        try:
            clock.ns(value)
        except ClockValueError:
            continue
        break
    multiplier = max(clock.multiplier, 1)
    bad = (values < EARLIEST_NS // multiplier) | (values > LATEST_NS // multiplier)
    if not bad.any():
        return values * multiplier
    kinds: dict[int, tuple[Kind, str]] = {}
    for row in np.flatnonzero(bad).tolist():
        try:
            clock.ns(int(values[row]))
        except ClockValueError as e:
            kinds[row] = (e.kind, str(e))
    for kind in {kind for kind, _ in kinds.values()}:
        of_kind = np.zeros(len(values), np.bool_)
        of_kind[[row for row, (its_kind, _) in kinds.items() if its_kind is kind]] = True
        findings.reject(of_kind, kind, lambda row: kinds[row][1])
    return np.where(bad, 0, values) * multiplier


def reject_not_positive(name: str, words: Words, findings: Findings) -> None:
    """BAD_VALUE for decimals at or below zero."""
    bad = is_negative(words) | is_zero(words)
    findings.reject(bad, Kind.BAD_VALUE, lambda row: f"{name} {decimal_text(words[row])} must be above zero")


def reject_negative(name: str, words: Words, findings: Findings) -> None:
    """BAD_VALUE for decimals below zero."""
    findings.reject(
        is_negative(words),
        Kind.BAD_VALUE,
        lambda row: f"{name} {decimal_text(words[row])} must not be below zero",
    )


class TimeOrder:
    """A clock that must not step back from one row that stands to the next, over blocks and files."""

    def __init__(self, name: str, *, strict: bool = False) -> None:
        self._name = name
        self._strict = strict  # a time that repeats is a DUPLICATE
        self._last = 0

    def check(self, ns: Ints, findings: Findings) -> None:
        rows = np.flatnonzero(findings.good)
        if not len(rows):
            return
        times = ns[rows]
        before = np.empty_like(times)
        before[0] = self._last
        before[1:] = times[:-1]
        self._last = int(times[-1])
        if (times > before).all() or (not self._strict and (times >= before).all()):
            return
        previous = np.zeros_like(ns)
        previous[rows] = before
        back = np.zeros(len(ns), np.bool_)
        back[rows] = times < before
        findings.reject(
            back, Kind.TIME_BACKWARDS, lambda row: f"{self._name} steps back from {previous[row]} to {ns[row]} ns"
        )
        if self._strict:
            again = np.zeros(len(ns), np.bool_)
            again[rows] = times == before
            findings.reject(again, Kind.DUPLICATE, lambda row: f"{self._name} {ns[row]} ns comes a second time")


class TradeIds:
    """Rising trade ids. `contiguous`: every missing id is a GAP; else up to 1,000 in a row are an ID_JUMP.

    Binance's futures do not publish fills of the insurance fund and ADL, which take ids of single trades.
    """

    def __init__(self, *, contiguous: bool) -> None:
        self._contiguous = contiguous
        self._last: int | None = None

    def check(self, ids: Ints, findings: Findings) -> None:
        """The id of every readable row counts, also of one whose values are bad."""
        if not len(ids):
            return
        highest = np.maximum.accumulate(ids if self._last is None else np.append(self._last, ids))
        before = highest[:-1] if self._last is not None else np.append(ids[0] - 1, highest[:-1])
        self._last = int(highest[-1])
        missing = ids - before - 1
        if not missing.any():
            return
        findings.reject(missing < 0, Kind.DUPLICATE, lambda row: f"trade id {ids[row]} comes after {before[row]}")
        gap = missing > (0 if self._contiguous else WITHHELD_IDS)
        for kind, rows in ((Kind.GAP, gap), (Kind.ID_JUMP, (missing > 0) & ~gap)):
            findings.note(
                np.flatnonzero(rows),
                kind,
                lambda row: f"{missing[row]} trade ids are missing between {before[row]} and {ids[row]}",
            )


class UniqueIds:
    """Trade ids without an order, such as UUIDs: none may come twice at the same time (a bounded memory)."""

    def __init__(self) -> None:
        self._ts = 0
        self._seen: set[str] = set()

    def check(self, ids: pa.StringArray, ts: Ints, findings: Findings) -> None:
        count = len(ids)
        if not count:
            return
        # the whole block only if some id in it does repeat; else the rows that share the last time of the block before
        repeats = pc.count_distinct(ids).as_py() < count
        head = count if repeats else int(np.argmax(ts != self._ts)) if (ts != self._ts).any() else count
        tail = int(np.flatnonzero(ts != ts[-1])[-1]) + 1 if (ts != ts[-1]).any() else 0
        again = np.zeros(count, np.bool_)
        for row in [*range(head), *range(max(head, tail), count)]:
            if ts[row] != self._ts:
                self._ts = int(ts[row])
                self._seen.clear()
            text = ids[row].as_py()
            again[row] = text in self._seen
            self._seen.add(text)
        findings.reject(
            again, Kind.DUPLICATE, lambda row: f"trade id {ids[row].as_py()} comes a second time at {ts[row]} ns"
        )


class PriceSteps:
    """Trade prices more than half away from the last one that stands, less than a minute before: BAD_VALUE."""

    def __init__(self) -> None:
        self._price = float("nan")
        self._ts = 0

    def check(self, words: Words, ts: Ints, findings: Findings) -> None:
        rows = np.flatnonzero(findings.good)
        if not len(rows):
            return
        prices, times = to_doubles(words[rows]), ts[rows]
        before = np.append(self._price, prices[:-1])
        soon = times - np.append(self._ts, times[:-1]) <= FAR_OFF_WITHIN_NS
        suspects = (np.abs(prices - before) > FAR_OFF * before) & soon
        if suspects.any():
            self._reject(int(np.argmax(suspects)), rows, prices, times, findings)
        else:
            self._price, self._ts = float(prices[-1]), int(times[-1])

    def _reject(self, first: int, rows: Ints, prices: npt.NDArray[np.float64], times: Ints, findings: Findings) -> None:
        """Row by row from the first suspect on, because each verdict depends on the one before."""
        if first:
            self._price, self._ts = float(prices[first - 1]), int(times[first - 1])
        bad = np.zeros(len(findings.good), np.bool_)
        last: dict[int, float] = {}
        for k in range(first, len(rows)):
            price, ts = float(prices[k]), int(times[k])
            if abs(price - self._price) > FAR_OFF * self._price and ts - self._ts <= FAR_OFF_WITHIN_NS:
                bad[rows[k]] = True
                last[int(rows[k])] = self._price
            else:
                self._price, self._ts = price, ts
        price_of = dict(zip(rows.tolist(), prices.tolist(), strict=True))
        findings.reject(
            bad,
            Kind.BAD_VALUE,
            lambda row: f"trade price {price_of[row]:.10g} is more than half away from {last[row]:.10g}",
        )
