from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.bulk import BulkRun, features, kernel_fields, kernel_series, write_features
from backtests.market_data import EVERYTHING
from backtests.profile import Profile, load_profile
from backtests.replay import disposing, run_replay
from backtests.snapshot_file import Origin, SnapshotFileError
from catalog.ledger import CatalogError
from catalog.markets import Market, MarketKind
from catalog.store import Catalog
from catalog.tables import ADD, BID, Kind
from strategies.features import schema_id
from strategies.flow.groups import FEATURES
from tests.backtests.conftest import MIDNIGHT_S, TENTHS, chunk, ns, ticking, write_catalog

S = 1_000_000  # microseconds
MIDNIGHT = ns(MIDNIGHT_S * S)
INSIDE = (MIDNIGHT - 17_654_321_987, MIDNIGHT + 20_123_456_789)
BTC, ETH = (Market("BINANCE", MarketKind.PERP, f"{base}USDT") for base in ("BTC", "ETH"))
NAMES = [f.name for f in FEATURES]

type Told = list[tuple[int, int]]


@pytest.fixture
def profile(lively: Path) -> Profile:
    return load_profile(lively)


def computed(
    root: Path, profile: Profile, out: Path, span: tuple[int, int] = EVERYTHING, *, told: Told | None = None, **options
) -> tuple[BulkRun, pd.DataFrame]:
    """A run over a span, and the frame of its file."""
    on_rows = None if told is None else lambda done, total: told.append((done, total))
    run = write_features(Catalog(root), profile, out, start_ns=span[0], end_ns=span[1], on_rows=on_rows, **options)
    return run, pd.read_parquet(out)


def replayed(root: Path, profile: Profile, out: Path, span: tuple[int, int] = EVERYTHING) -> pd.DataFrame:
    """The snapshots that the engine gives over a span."""
    with disposing(run_replay(Catalog(root), profile, start_ns=span[0], end_ns=span[1], snapshots=out)):
        return pd.read_parquet(out)


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """The same rows in the same order, every double bit for bit."""
    assert len(found) == len(expected) > 3
    assert found[["ts", "asset"]].equals(expected[["ts", "asset"]].reset_index(drop=True))
    assert found[NAMES].to_numpy().tobytes() == expected[NAMES].to_numpy().tobytes()


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_run_says_what_it_did(midnight: Path, profile: Profile, tmp_path: Path) -> None:
    """Every row of the catalog was read, snapshots are in order of time and asset, and the file knows its origin."""
    run, frame = computed(midnight, profile, tmp_path / "deep" / "a.parquet")
    catalog = Catalog(midnight)
    assert run.rows == sum(series.rows for series in catalog.ledger.series())
    assert (run.snapshots, run.assets) == (len(frame), ("BTC", "ETH"))
    assert run.seconds > 0
    assert frame[["ts", "asset"]].equals(frame[["ts", "asset"]].sort_values(["ts", "asset"]))
    assert set(frame["asset"]) == {"BTC", "ETH"}
    assert set(frame["ts"] % 5_000_000_000) == {0}
    origin = Origin.read(tmp_path / "deep" / "a.parquet")
    assert origin == run.origin
    assert (origin.catalog, origin.schema_id, origin.days_apart) == (catalog.digest(), schema_id(profile.flow), False)
    assert origin.assets == {
        "BTC": ("BTCUSDT-PERP.BINANCE", "BTCUSDT-LINEAR.BYBIT", "BTCUSDT.BINANCE_SPOT"),
        "ETH": ("ETHUSDT-PERP.BINANCE",),
    }
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.parquet"]


@pytest.mark.parametrize(
    "span", [EVERYTHING, (INSIDE[0], EVERYTHING[1]), (0, INSIDE[1]), INSIDE], ids=["all", "from", "to", "inside"]
)
def test_a_span_is_that_of_a_replay(midnight: Path, profile: Profile, tmp_path: Path, span: tuple[int, int]) -> None:
    """Both ends cut off, the start inside of books: the snapshots of the engine over that span."""
    run, frame = computed(midnight, profile, tmp_path / "bulk.parquet", span)
    same(frame, replayed(midnight, profile, tmp_path / "engine.parquet", span))
    assert span[0] <= frame["ts"].min() <= frame["ts"].max() <= span[1]
    assert Origin.read(tmp_path / "engine.parquet") == run.origin


@pytest.mark.parametrize("asset", ["BTC", "ETH"])
def test_some_assets_are_those_of_a_run_with_all(midnight: Path, profile: Profile, tmp_path: Path, asset: str) -> None:
    """An asset left out changes nothing but that it is not there; its rows are not read."""
    whole, frame = computed(midnight, profile, tmp_path / "all.parquet")
    run, alone = computed(midnight, profile, tmp_path / "one.parquet", assets=(asset,))
    same(alone, frame[frame["asset"] == asset])
    assert run.assets == (asset,)
    assert run.origin == replace(whole.origin, assets={asset: whole.origin.assets[asset]})
    assert run.rows < whole.rows
    run.origin.require(run.origin, tmp_path)


def test_processes_change_nothing(midnight: Path, profile: Profile, tmp_path: Path) -> None:
    """Two write the very file that one writes, also where days are pieces of work."""
    for days_apart in (False, True):
        files = [tmp_path / f"{days_apart}-{jobs}.parquet" for jobs in (1, 2)]
        told: Told = []
        computed(midnight, profile, files[0], days_apart=days_apart)
        run, _ = computed(midnight, profile, files[1], jobs=2, days_apart=days_apart, told=told)
        assert files[0].read_bytes() == files[1].read_bytes()
        # each piece of work is told once, when it is done
        assert len(told) == (4 if days_apart else 2)
        assert [done for done, _ in told] == sorted({done for done, _ in told})
        assert told[-1] == (run.rows, run.rows)


def test_days_apart_are_replays_of_each_day_alone(midnight: Path, profile: Profile, tmp_path: Path) -> None:
    """After midnight everything begins cold, but for the books, which are known; the engine agrees."""
    _, apart = computed(midnight, profile, tmp_path / "apart.parquet", INSIDE, days_apart=True)
    days = [(INSIDE[0], MIDNIGHT - 1), (MIDNIGHT, INSIDE[1])]
    alone = [replayed(midnight, profile, tmp_path / f"{day[0]}.parquet", day) for day in days]
    same(apart, pd.concat(alone))
    assert all(len(day) for day in alone)
    _, together = computed(midnight, profile, tmp_path / "together.parquet", INSIDE)
    late = together[together["ts"] > alone[1]["ts"].min()]
    assert (late["cvd_perp"].to_numpy() != apart[apart["ts"] > alone[1]["ts"].min()]["cvd_perp"].to_numpy()).all()
    assert Origin.read(tmp_path / "apart.parquet").days_apart


def test_a_day_without_data_is_no_work(lively: Path, profile: Profile, tmp_path: Path) -> None:
    """Days between two recordings, and days that one asset does not have."""
    day = 86_400
    eth = replace(TENTHS, base="ETH")
    write_catalog(tmp_path / "market", {BTC: ticking(1, 0, 20), ETH: ticking(2, 0, 20)}, {ETH: eth})
    write_catalog(tmp_path / "market", {BTC: ticking(3, 3 * day, 3 * day + 20)})
    _, frame = computed(tmp_path / "market", profile, tmp_path / "a.parquet", days_apart=True)
    first, last = frame[frame["ts"] < ns(day * S)], frame[frame["ts"] > ns(2 * day * S)]
    assert (set(first["asset"]), set(last["asset"])) == ({"BTC", "ETH"}, {"BTC"})
    assert len(first) + len(last) == len(frame)


@pytest.mark.parametrize("span", [EVERYTHING, INSIDE], ids=["all", "inside"])
def test_progress_rises_to_the_total(
    midnight: Path, profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, span: tuple[int, int]
) -> None:
    """In small steps with one process, never back and never beyond, over all assets and days."""
    for module in ("series_rows", "asset_player"):
        monkeypatch.setattr(f"backtests.{module}.BATCH_ROWS", 100)
    told: Told = []
    run, _ = computed(midnight, profile, tmp_path / "a.parquet", span, told=told, days_apart=True)
    done = [rows for rows, _ in told]
    assert len(told) > 10
    assert done == sorted(done)
    assert done[0] >= 0
    assert {total for _, total in told} == {run.rows}
    assert done[-1] == run.rows


# -- refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("span", "assets", "message"),
    [
        (EVERYTHING, ("BTC", "XRP", "DOGE"), "has no DOGE, XRP: choose among BTC, ETH"),
        ((MIDNIGHT + 3_600_000_000_000, EVERYTHING[1]), (), "has no data between the given start and end"),
        ((0, MIDNIGHT - 3_600_000_000_000), (), "has no data between the given start and end"),
        ((INSIDE[1], INSIDE[0]), (), "has no data between the given start and end"),
    ],
    ids=["unknown asset", "after", "before", "end before start"],
)
@pytest.mark.parametrize("days_apart", [False, True])
def test_what_cannot_be_computed_is_refused(
    midnight: Path, profile: Profile, tmp_path: Path,
    span: tuple[int, int], assets: Sequence[str], message: str, days_apart: bool,
) -> None:  # fmt: skip
    """The error names the catalog and the remedy; nothing is written, no folder made."""
    with pytest.raises(CatalogError, match=message):
        computed(midnight, profile, tmp_path / "deep" / "a.parquet", span, assets=assets, days_apart=days_apart)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_is_no_place_for_a_file(midnight: Path, profile: Profile, tmp_path: Path) -> None:
    """It is said before hours of work, and the directory is left as it was."""
    told: Told = []
    with pytest.raises(SnapshotFileError, match="is a directory: name a file"):
        computed(midnight, profile, tmp_path, told=told)
    assert (told, list(tmp_path.iterdir())) == ([], [])


@pytest.mark.parametrize(
    ("jobs", "before"),
    # processes take long to start, and end with the failure: once is enough
    [(1, None), (1, "the user's own"), (2, "the user's own")],
    ids=["nothing before", "a file before", "processes"],
)
def test_a_failure_leaves_nothing_half_written(profile: Profile, tmp_path: Path, jobs: int, before: str | None) -> None:
    """BTC is computed, then ETH's book turns out to be damaged: no file, no part, and an earlier file as it was."""
    row = {"action": [ADD], "side": [BID], "price": ["99.9"], "size": ["1"], "flags": [0], "sequence": [1]}
    damaged = chunk(Kind.BOOK, row, [15 * S])
    series = {BTC: ticking(1, 0, 20), ETH: [damaged, ticking(2, 0, 20)[1]]}
    write_catalog(tmp_path / "market", series, {ETH: replace(TENTHS, base="ETH")})
    out = tmp_path / "results" / "a.parquet"
    if before is not None:
        out.parent.mkdir()
        out.write_text(before)
    with pytest.raises(CatalogError, match=r"ETHUSDT-PERP\.BINANCE.*the book's last frame has no end"):
        write_features(Catalog(tmp_path / "market"), profile, out, jobs=jobs)
    assert [path.name for path in out.parent.iterdir()] == ([] if before is None else ["a.parquet"])
    assert (out.read_text() if before is not None else None) == before


# -- for notebooks -----------------------------------------------------------------------------------------------------


def test_a_frame_has_times_assets_and_features(midnight: Path, lively: Path, profile: Profile, tmp_path: Path) -> None:
    """Times are UTC and rows those of the file; a profile is given as a path, a text or itself."""
    _, expected = computed(midnight, profile, tmp_path / "a.parquet")
    for given in (lively, str(lively), profile):
        frame = features(str(midnight), profile=given)
        assert list(frame.columns) == ["time", "asset", *NAMES]
        assert str(frame["time"].dtype).endswith("UTC]")
        assert frame["time"].map(lambda time: time.value).tolist() == expected["ts"].tolist()
        same(frame.assign(ts=expected["ts"]), expected)
        assert list(frame.index) == list(range(len(frame)))


def test_a_frame_of_a_part(midnight: Path, profile: Profile, tmp_path: Path) -> None:
    """Start, end, assets and days are those of the file; both ends are included."""
    span = MIDNIGHT - 20 * 10**9, MIDNIGHT + 15 * 10**9
    options = {"assets": ("ETH",), "days_apart": True}
    _, expected = computed(midnight, profile, tmp_path / "a.parquet", span, **options)
    times = {"start": "2023-11-14T23:59:40", "end": "2023-11-15 00:00:15"}
    frame = features(midnight, profile=profile, **times, **options)
    same(frame.assign(ts=expected["ts"]), expected)
    assert frame["time"].iloc[-1] == pd.Timestamp("2023-11-15 00:00:15", tz="UTC")


def test_a_span_too_short_for_a_snapshot_is_an_empty_frame(midnight: Path, profile: Profile) -> None:
    """All columns are there, of their types."""
    span = {"start": "2023-11-15T00:00:00", "end": "2023-11-15T00:00:00.9"}
    frame = features(midnight, profile=profile, **span)
    assert len(frame) == 0
    assert list(frame.columns) == ["time", "asset", *NAMES]
    assert str(frame["time"].dtype).endswith("UTC]")
    series = kernel_series(midnight, "BTC", ["samples"], profile=profile, **span)
    assert (len(series), list(series.columns), series["samples"].dtype) == (0, ["samples"], np.int64)


def test_what_a_kernel_held_at_a_scan_is_the_feature(midnight: Path, profile: Profile) -> None:
    """Every second from the first sample on; at the times of snapshots the very numbers that they have."""
    frame = features(midnight, profile=profile, assets=["BTC"]).set_index("time")
    fields = {"technical.rsi.value": "rsi", "technical.atr.value": "atr", "markets[0].funding_rate": "funding_rate"}
    cvds = ["markets[0].cvd.delta", "markets[1].cvd.delta"]
    series = kernel_series(midnight, "BTC", [*fields, *cvds, "samples"], profile=profile)
    assert list(series.columns) == [*fields, *cvds, "samples"]
    assert [time.value for time in series.index] == list(range(MIDNIGHT - 29 * 10**9, MIDNIGHT + 30 * 10**9, 10**9))
    assert series["samples"].tolist() == list(range(1, 60))
    at_scans = series.loc[frame.index]
    for field, name in fields.items():
        np.testing.assert_array_equal(at_scans[field].to_numpy(), frame[name].to_numpy())
        assert frame[name].notna().any()
    np.testing.assert_array_equal(
        (0.0 + at_scans[cvds[0]] + at_scans[cvds[1]]).to_numpy(), frame["cvd_perp"].to_numpy()
    )


def test_a_series_in_wider_steps_and_of_a_part(midnight: Path, profile: Profile) -> None:
    """Steps are multiples of the epoch, so that a later start has the same times."""
    span = {"start": "2023-11-14T23:59:53.5", "end": "2023-11-15T00:00:10"}
    series = kernel_series(midnight, "ETH", ["markets[0].bid"], profile=profile, seconds=5, **span)
    assert [str(time) for time in series.index] == [
        "2023-11-14 23:59:55+00:00",
        "2023-11-15 00:00:00+00:00",
        "2023-11-15 00:00:05+00:00",
        "2023-11-15 00:00:10+00:00",
    ]
    whole = kernel_series(midnight, "ETH", ["markets[0].bid"], profile=profile)
    assert series["markets[0].bid"].equals(whole.loc[series.index, "markets[0].bid"])


@pytest.mark.parametrize("seconds", [0, -1, 3])
def test_steps_that_do_not_fit_are_refused(midnight: Path, profile: Profile, seconds: int) -> None:
    """The error has the value and what it must be a multiple of."""
    flow = profile.flow.model_copy(update={"sample_seconds": 5})
    with pytest.raises(ValueError, match=f"seconds is {seconds}: give a multiple of sample_seconds, 5"):
        kernel_series(midnight, "BTC", ["samples"], profile=profile.model_copy(update={"flow": flow}), seconds=seconds)


def test_unknown_fields_and_assets_are_refused(midnight: Path, profile: Profile) -> None:
    """All unknown fields are named, with where to find the known ones; an asset is not guessed."""
    with pytest.raises(ValueError, match=r"no field rsi, markets\[0\]: kernel_fields\(\) lists what there is"):
        kernel_series(midnight, "BTC", ["samples", "rsi", "markets[0]"], profile=profile)
    with pytest.raises(CatalogError, match="has no XRP: choose among BTC, ETH"):
        kernel_series(midnight, "XRP", ["samples"], profile=profile)


def test_fields_are_those_of_the_profile(lively: Path) -> None:
    """The paths of one profile's windows, from a path or the default one."""
    found = kernel_fields(lively)
    assert {"technical.rsi.value", "markets[15].cvd.delta", "samples"} <= set(found)
    assert len(found) == len(set(found))
    # the default has longer windows
    assert len(kernel_fields()) > len(found)
