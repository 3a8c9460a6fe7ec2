"""Engine and bulk driver give the same snapshots, bit for bit: recorded, built-in, damaged and made-up markets."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from backtests.bulk import write_features
from backtests.identity import compare, first_difference
from backtests.market_data import EVERYTHING
from backtests.profile import Profile, load_profile
from backtests.snapshot_file import SnapshotWriter
from catalog.markets import Market, MarketKind
from catalog.sample_market import write_sample_market
from catalog.store import Catalog
from catalog.tables import BUYER, NO_AGGRESSOR, SELLER, Chunk, Kind
from catalog.times import format_ns
from strategies.features import FlowSnapshot
from strategies.flow.groups import FEATURES
from tests.backtests.conftest import Frame, Level, book, chunk, ns, write_catalog
from tests.backtests.damaged_market import write_damaged_market
from tests.backtests.recorded import CAPTURES, ingest_capture, needs_captures

PERP, OTHER, SPOT, PRINTS = (
    Market("BINANCE", MarketKind.PERP, "BTCUSDT"),
    Market("BYBIT", MarketKind.PERP, "BTCUSDT"),
    Market("BINANCE_SPOT", MarketKind.SPOT, "BTCUSDT"),
    Market("MEXC_SPOT", MarketKind.SPOT, "BTCUSDT"),
)


def identical(catalog: Catalog, profile: Profile, *, start_ns: int = 0, end_ns: int = EVERYTHING[1]) -> int:
    """How many snapshots there are, all the same; fails with the first difference in words."""
    result = compare(catalog, profile, start_ns=start_ns, end_ns=end_ns)
    assert result.difference is None, str(result.difference)
    return result.snapshots


# -- recorded ----------------------------------------------------------------------------------------------------------

RECORDINGS = {"btc2024": ("btc2024",), "eth2024": ("eth2024",), "perp and spot 2023": ("btc2023", "spot2023")}


@needs_captures
@pytest.mark.parametrize("name", RECORDINGS)
def test_on_recorded_captures(name: str, tmp_path: Path, lively: Path) -> None:
    """Perp and spot, by the default profile and by one of short windows, from the beginning and from the middle."""
    root = tmp_path / "catalog"
    for capture in (CAPTURES[recording] for recording in RECORDINGS[name]):
        ingest_capture(root, capture)
    catalog = Catalog(root)
    series = catalog.ledger.series()
    middle = (min(s.first_ns for s in series) + max(s.last_ns for s in series)) // 2 + 123_456_789
    assert identical(catalog, load_profile()) > 60
    assert identical(catalog, load_profile(lively), start_ns=middle) > 30


# -- the built-in market, as a bad connection records it ---------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_on_the_built_in_market_with_gaps_resyncs_late_snapshots_and_silences(
    seed: int, tmp_path: Path, lively: Path
) -> None:
    """Every market loses stretches of its book and its prints, one of them for good."""
    catalog, planned = write_damaged_market(tmp_path / "damaged", seed=seed, hours=0.1)
    assert {d.what for d in planned if d.kind is Kind.BOOK} == {"gap", "silence"}
    profile = load_profile(lively)
    assert identical(catalog, profile) > 30
    start = catalog.ledger.series()[0].first_ns + 100_123_456_789
    assert identical(catalog, profile, start_ns=start, end_ns=start + 120_000_000_000) > 10


def test_the_damage_is_felt(tmp_path: Path, lively: Path) -> None:
    """A silent book is missing from the features of the damaged market, where the sound one has them."""
    catalog, planned = write_damaged_market(tmp_path / "damaged", seed=1, hours=0.1)
    write_sample_market(tmp_path / "sound", seed=1, hours=0.1, assets=1)
    frames = []
    for name, market in (("damaged", catalog), ("sound", Catalog(tmp_path / "sound"))):
        write_features(market, load_profile(lively), tmp_path / f"{name}.parquet")
        frames.append(pd.read_parquet(tmp_path / f"{name}.parquet"))
    damaged, sound = frames
    lead = [d for d in planned if d.instrument_id == PERP.instrument_id and d.kind is Kind.BOOK]
    silent = next(d for d in lead if d.what == "silence")
    # the lead's book is lost ten seconds after its last change: then there is no price and no snapshot at all
    lost = (silent.start_ns + 10_500_000_000, silent.end_ns)
    assert not len(damaged[damaged["ts"].between(*lost)])
    assert len(sound[sound["ts"].between(*lost)])


def test_with_several_assets_and_the_default_profile(tmp_path: Path) -> None:
    """Two assets of ten minutes; the parts of the bulk driver run in two processes."""
    catalog, _ = write_damaged_market(tmp_path / "damaged", seed=11, hours=0.17, assets=2)
    result = compare(catalog, load_profile(), start_ns=0, end_ns=EVERYTHING[1], jobs=2)
    assert result.difference is None, str(result.difference)
    assert result.snapshots > 100


# -- made-up streams with ties and bursts ------------------------------------------------------------------------------

# how long after the one before: ties within a microsecond and bursts are as likely as pauses
gaps = st.sampled_from([0, 0, 1, 1, 7, 999, 20_000, 250_000, 600_000, 1_000_000, 1_700_000, 4_000_000])
levels = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 12), st.integers(0, 4)), min_size=1, max_size=5)


@dataclass(frozen=True)
class Step:
    """A change of a book: "diff" of (side, distance, size), a "snapshot" of them, or a lone "clear"."""

    gap: int
    what: str
    levels: list[tuple[int, int, int]]
    shift: int  # of the mid, in ticks, at a snapshot


steps = st.builds(
    Step, gaps, st.sampled_from(["diff"] * 8 + ["snapshot", "clear"]), levels, st.integers(-3, 3).map(lambda k: 10 * k)
)
prints = st.lists(
    st.tuples(gaps, st.sampled_from([BUYER, SELLER, NO_AGGRESSOR]), st.integers(-12, 12), st.integers(1, 50)),
    min_size=1,
    max_size=40,
)
numbers = st.lists(st.tuples(gaps, st.integers(-20, 20)), min_size=1, max_size=8)


def frames(script: Sequence[Step]) -> list[Frame]:
    """A book by the script, never crossed: a snapshot is first, and nothing but a snapshot follows a clear."""
    made: list[Frame] = []
    us, mid, known = 0, 1_000, False
    sides: list[dict[int, int]] = [{}, {}]

    def texts(side: dict[int, int]) -> list[Level]:
        return [(f"{tick / 10:.1f}", f"{size / 1000:.3f}") for tick, size in side.items()]

    for step in script:
        us += step.gap
        if step.what == "clear":
            if known:
                made.append((us, "snapshot", [], []))
            known = False
            continue
        if step.what == "snapshot" or not known:
            mid, known = mid + step.shift, True
            sides = [{mid - 20: 1}, {mid + 20: 1}]
            for side, distance, size in step.levels:
                if size:
                    sides[side][mid + (-distance if side == 0 else distance)] = size
            made.append((us, "snapshot", texts(sides[0]), texts(sides[1])))
            continue
        changed: list[dict[int, int]] = [{}, {}]
        for side, distance, size in step.levels:
            tick = mid + (-distance if side == 0 else distance)
            if size or tick in sides[side]:
                changed[side][tick] = size
        for side in (0, 1):
            sides[side] = {t: z for t, z in (sides[side] | changed[side]).items() if z}
        if changed[0] or changed[1]:
            made.append((us, "diff", texts(changed[0]), texts(changed[1])))
    return made


def cumulative(gaps_us: Sequence[int]) -> list[int]:
    return np.cumsum(gaps_us).tolist()


def print_chunk(script: Sequence[tuple[int, int, int, int]]) -> Chunk:
    return chunk(
        Kind.TRADES,
        {
            "price": [f"{100 + ticks / 10:.1f}" for _, _, ticks, _ in script],
            "size": [f"{size / 1000:.3f}" for *_, size in script],
            "aggressor_side": [side for _, side, _, _ in script],
            "trade_id": [str(k) for k in range(len(script))],
        },
        cumulative([gap for gap, *_ in script]),
    )


def value_chunk(kind: Kind, script: Sequence[tuple[int, int]]) -> Chunk:
    times = cumulative([gap for gap, _ in script])
    if kind is Kind.FUNDING:
        due = [
            0 if value % 3 == 0 else ns(us) + 3_600_000_000_000 for us, (_, value) in zip(times, script, strict=True)
        ]
        rates = [f"{value / 10_000:.4f}" for _, value in script]
        return chunk(kind, {"rate": rates, "interval_minutes": [480] * len(script), "next_funding_ns": due}, times)
    return chunk(kind, {"value": [f"{100 + value / 10:.1f}" for _, value in script]}, times)


@st.composite
def markets(draw: st.DrawFn) -> dict[Market, list[Chunk]]:
    """An asset on up to four markets."""
    series: dict[Market, list[Chunk]] = {}
    for market in (PERP, OTHER, SPOT, PRINTS):
        if market is not PERP and not draw(st.booleans()):
            continue
        chunks = [print_chunk(draw(prints))]
        if market is not PRINTS:
            chunks.append(book(frames(draw(st.lists(steps, min_size=10, max_size=40)))))
        if market.kind is MarketKind.PERP:
            chunks += [
                value_chunk(kind, draw(numbers))
                for kind in (Kind.MARKS, Kind.FUNDING, Kind.OPEN_INTEREST)
                if draw(st.booleans())
            ]
        series[market] = chunks
    return series


@settings(max_examples=40, deadline=None)
@given(series=markets(), cut=st.none() | st.integers(1, 20_000_000))
def test_on_made_up_streams_with_ties_and_bursts(
    series: dict[Market, list[Chunk]], cut: int | None, lively: Path
) -> None:
    """Whatever arrives, in whatever order, from the beginning or from a cut on, the two drivers agree."""
    profile = load_profile(lively)  # other window lengths would have all kernels compiled once more
    quick = {"stale_seconds": 3.0, "scan_seconds": 1, "levels_seconds": 1}
    profile = profile.model_copy(update={"flow": profile.flow.model_validate(profile.flow.model_dump() | quick)})
    with tempfile.TemporaryDirectory() as folder:
        catalog = write_catalog(Path(folder) / "catalog", series)
        start = 0 if cut is None else ns(cut)
        if max(s.last_ns for s in catalog.ledger.series()) >= start:
            event("with snapshots" if identical(catalog, profile, start_ns=start) else "too short")


# -- the difference in words -------------------------------------------------------------------------------------------


def snapshots(*values: float, asset: str = "BTC") -> list[FlowSnapshot]:
    """Snapshots of seconds 0, 1, ... whose last feature is the given value and all others missing."""
    made = []
    for second, value in enumerate(values):
        row = np.full(len(FEATURES), np.nan)
        row[-1] = value
        made.append(FlowSnapshot(second, asset, row, "by hand"))
    return made


def test_equal_bits_are_equal_and_nothing_else() -> None:
    """NaN equals NaN, 0 is not -0, and the next double is another."""
    assert first_difference(iter(snapshots(1.0, np.nan)), iter(snapshots(1.0, np.nan))) == (2, None)
    name = FEATURES[-1].name
    same, found = first_difference(iter(snapshots(1.0, 0.0)), iter(snapshots(1.0, -0.0)))
    assert (same, found) == (1, (1, "BTC", name, 0.0, -0.0))
    above = float(np.nextafter(1.0, 2.0))
    assert first_difference(iter(snapshots(1.0)), iter(snapshots(above))) == (0, (0, "BTC", name, 1.0, above))
    _, missing = first_difference(iter(snapshots(1.0)), iter(snapshots(np.nan)))
    assert missing is not None
    assert missing[:4] == (0, "BTC", name, 1.0)


def test_a_snapshot_that_one_of_them_lacks_is_a_difference() -> None:
    """The one that is alone is named, whichever it is, also where the other has ended."""
    two, one = snapshots(1.0, 2.0), snapshots(1.0)
    _, found = first_difference(iter(two), iter(one))
    assert found is not None
    assert (found[0], found[1], found[2], found[4]) == (1, "BTC", None, None)
    _, found = first_difference(iter(one), iter(two))
    assert found is not None
    assert (found[0], found[2], found[3]) == (1, None, None)
    late = [replace(s, ts=s.ts + 5) for s in one]
    _, found = first_difference(iter(one), iter(late))
    assert found is not None
    assert (found[0], found[4]) == (0, None)


def test_the_first_difference_is_explained(tmp_path: Path, lively: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time, asset, feature, both values and the last events, of a value that was changed in bulk."""
    catalog, _ = write_damaged_market(tmp_path / "damaged", seed=2, hours=0.05)
    honest = write_features

    def dishonest(source: Catalog, profile: Profile, out: Path, **options: int) -> object:
        run = honest(source, profile, out, **options)  # type: ignore[arg-type]  # the options as they came
        frame = pd.read_parquet(out)
        assert len(frame) > 3
        values = frame[[f.name for f in FEATURES]].to_numpy().copy()
        values[2, 0] += 1.0
        with SnapshotWriter(out, run.origin) as writer:
            writer.write(frame["ts"].to_numpy(), writer.numbers(frame["asset"].tolist()), values)
        return run

    monkeypatch.setattr("backtests.identity.write_features", dishonest)
    result = compare(catalog, load_profile(lively), start_ns=0, end_ns=EVERYTHING[1])
    assert result.snapshots == 2
    found = result.difference
    assert found is not None
    assert (found.asset, found.feature) == ("BTC", FEATURES[0].name)
    assert found.bulk == pytest.approx(found.engine + 1.0)
    words = str(found)
    assert words.startswith(f"BTC at {format_ns(found.ts)} ({found.ts})")
    assert f"{found.engine!r} in the engine and {found.bulk!r} in bulk" in words
    assert len(found.events) == 12
    assert all("BTCUSDT" in event for event in found.events)
    assert list(found.events) == sorted(found.events, key=lambda e: e.split(" ")[0])
