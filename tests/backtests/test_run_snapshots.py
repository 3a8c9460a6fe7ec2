"""run.py --snapshots: deciding on what features.py computed is deciding on what the replay itself would compute."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from backtests.bulk import write_features
from backtests.features import app as features_app
from backtests.market_data import EVERYTHING
from backtests.profile import load_profile
from backtests.replay import disposing, run_replay
from backtests.run import app
from backtests.snapshot_file import Origin
from catalog.store import Catalog
from catalog.times import parse_ns
from tests.backtests.conftest import LIVELY, RESULTS

FIVE = ("--end", "2026-01-05T00:05")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def computed(sample: Path, lively: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that features.py makes of the sample."""
    path = tmp_path_factory.mktemp("computed") / "features.parquet"
    given = ("--catalog", sample, "--profile", lively, "--out", path)
    result = CliRunner().invoke(features_app, [str(a) for a in given])
    assert result.exit_code == 0, result.output
    return path


def decided(sample: Path, lively: Path, on: Path | None, end_ns: int = EVERYTHING[1]) -> dict[str, list[Any]]:
    """Everything that the engine's cache knows of a replay, without the UUIDs of its events."""
    replay = run_replay(Catalog(sample), load_profile(lively), start_ns=0, end_ns=end_ns, decide_on=on)
    with disposing(replay):
        cache = replay.engine.kernel.cache
        events = [event for order in cache.orders() for event in order.events]
        accounts = [event for account in cache.accounts() for event in account.events]
        assert (replay.actor is None) == (on is not None)
        return {
            "orders": [order.to_dict() | {"init_id": None} for order in cache.orders()],
            "order events": [type(event).to_dict(event) | {"event_id": None} for event in events],
            "positions": [position.to_dict() for position in cache.positions()],
            "accounts": [type(event).to_dict(event) | {"event_id": None} for event in accounts],
        }


def test_orders_and_fills_are_the_same(sample: Path, lively: Path, computed: Path) -> None:
    """Every order with every event, positions and balances: time, price, size, fee and reason."""
    found, expected = decided(sample, lively, computed), decided(sample, lively, None)
    fills = [event for event in expected["order events"] if event["type"] == "OrderFilled"]
    assert len(fills) > 40
    assert len(expected["orders"]) > 40
    for name, of_it in expected.items():
        assert found[name] == of_it, name


def test_results_are_the_same(sample: Path, lively: Path, computed: Path, tmp_path: Path) -> None:
    """Trades and snapshots in every value, the report, and all of the summary that is not a time it took."""
    given = ("--catalog", sample, "--profile", lively, "--json")
    with_file = run(*given, "--out", tmp_path / "with", "--snapshots", computed)
    without = run(*given, "--out", tmp_path / "without")
    assert (with_file.exit_code, without.exit_code) == (0, 0), with_file.output
    for name in ("trades", "snapshots"):
        found, expected = (pd.read_parquet(tmp_path / folder / f"{name}.parquet") for folder in ("with", "without"))
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
        assert len(expected) > 3
    assert {path.name for path in (tmp_path / "with").iterdir()} == RESULTS
    origins = [Origin.read(tmp_path / folder / "snapshots.parquet") for folder in ("with", "without")]
    assert origins[0] == origins[1]
    timed = ("wall_seconds", "cpu_seconds", "rows_per_cpu_second")
    summaries = [{k: v for k, v in json.loads(one.stdout).items() if k not in timed} for one in (with_file, without)]
    assert summaries[0] == summaries[1]


def test_a_replay_may_end_before_its_file(sample: Path, lively: Path, computed: Path) -> None:
    """The rest of the file is left: the same orders as without it."""
    end_ns = parse_ns(FIVE[1])
    found, expected = (decided(sample, lively, on, end_ns) for on in (computed, None))
    assert found == expected
    assert len(expected["orders"]) > 3


# -- refused -----------------------------------------------------------------------------------------------------------


def other_catalog(path: Path, sample: Path, midnight: Path, lively: Path) -> None:
    write_features(Catalog(midnight), load_profile(lively), path)


def other_settings(path: Path, sample: Path, midnight: Path, lively: Path) -> None:
    profile = load_profile(lively)
    flow = profile.flow.model_copy(update={"stale_seconds": 9.0})
    write_features(
        Catalog(sample), profile.model_copy(update={"flow": flow}), path, end_ns=parse_ns("2026-01-05T00:05")
    )


def of_span(start: str | None, end: str, **options: bool) -> Callable[[Path, Path, Path, Path], None]:
    def make(path: Path, sample: Path, midnight: Path, lively: Path) -> None:
        start_ns = 0 if start is None else parse_ns(start)
        write_features(Catalog(sample), load_profile(lively), path, start_ns=start_ns, end_ns=parse_ns(end), **options)

    return make


@pytest.mark.parametrize(
    ("make", "options", "reason"),
    [
        (other_catalog, FIVE, "it was made from catalog"),
        (other_settings, FIVE, "its features have schema"),
        (of_span(None, "2026-01-05T00:02"), FIVE, "it ends at 2026-01-05T00:02:00"),
        (of_span("2026-01-05T00:01", "2026-01-05T00:05"), FIVE, "it begins at 2026-01-05T00:01:00"),
        (
            of_span("2026-01-05T00:01:00.2", "2026-01-05T00:05"),
            ("--start", "2026-01-05T00:01:00.4", *FIVE),
            "it begins at 2026-01-05T00:01:00.200000000Z, the replay at 2026-01-05T00:01:00.400000000Z",
        ),
        (of_span(None, "2026-01-05T00:05", days_apart=True), FIVE, "its days were computed apart"),
        (lambda path, *_: path.write_text("ts,asset"), FIVE, "is no file of snapshots"),
    ],
    ids=["catalog", "settings", "end", "start", "start within a second", "days apart", "text"],
)
def test_a_file_of_something_else_is_exit_2(
    sample: Path, midnight: Path, lively: Path, tmp_path: Path,
    make: Callable[[Path, Path, Path, Path], None], options: tuple[str, ...], reason: str,
) -> None:  # fmt: skip
    """The difference and the file are on standard error; earlier results stay, and nothing is written."""
    theirs, out = tmp_path / "theirs.parquet", tmp_path / "out"
    make(theirs, sample, midnight, lively)
    before = theirs.read_bytes()
    out.mkdir()
    (out / "trades.parquet").write_text("of an earlier run")
    result = run("--catalog", sample, "--profile", lively, "--out", out, "--json", "--snapshots", theirs, *options)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "theirs.parquet" in result.stderr
    assert reason in result.stderr
    assert "backtests/features.py" in result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"theirs.parquet", "out"}
    assert [path.name for path in out.iterdir()] == ["trades.parquet"]
    assert (out / "trades.parquet").read_text() == "of an earlier run"
    assert theirs.read_bytes() == before


def test_what_is_traded_may_be_changed(sample: Path, computed: Path, tmp_path: Path) -> None:
    """The decisions' settings are no part of a snapshot: one file serves many of them."""
    profile = tmp_path / "dry.toml"
    profile.write_text(LIVELY.replace("[scalper]", "[scalper]\ndry_run = true"))
    result = run("--catalog", sample, "--profile", profile, "--out", tmp_path / "out", "--snapshots", computed, *FIVE)
    assert result.exit_code == 0, result.stderr
    assert pd.read_parquet(tmp_path / "out" / "trades.parquet").empty
