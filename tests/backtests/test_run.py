"""The command as users run it: what it writes, prints and refuses."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from backtests.honesty import PARTS
from backtests.passed_file import reasons_by_asset
from backtests.profile import load_profile
from backtests.result_files import HALT_SCHEMA
from backtests.run import app
from backtests.snapshot_file import Origin
from backtests.why_not import app as why_not
from catalog.store import Catalog
from strategies.features import schema_id
from strategies.flow.groups import FEATURES
from strategies.trade_log import TRADE_SCHEMA
from tests.backtests.conftest import RESULTS


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@dataclass(frozen=True)
class Done:
    """A finished run, and what its folder holds."""

    result: Result
    out: Path

    @property
    def trades(self) -> pd.DataFrame:
        return pd.read_parquet(self.out / "trades.parquet")

    @property
    def snapshots(self) -> pd.DataFrame:
        return pd.read_parquet(self.out / "snapshots.parquet")


@pytest.fixture(scope="module")
def done(sample: Path, lively: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """One run of the sample with --json and --dump-snapshots, in a folder that the user had something in."""
    out = tmp_path_factory.mktemp("results")
    (out / "notes.txt").write_text("the user's own")
    (out / "summary.json").write_text("of an earlier run")
    dump = out.parent / f"{out.name}-dump" / "dumped.parquet"
    result = run("--catalog", sample, "--profile", lively, "--out", out, "--json", "--dump-snapshots", dump)
    assert result.exit_code == 0, result.output
    return Done(result, out)


def test_it_writes_all_results(done: Done) -> None:
    """Eight files, nothing half-written, and what the user had there is left alone."""
    assert {p.name for p in done.out.iterdir()} == RESULTS | {"notes.txt"}
    assert (done.out / "notes.txt").read_text() == "the user's own"


def test_json_is_the_summary(done: Done) -> None:
    """Standard output is the JSON of summary.json and nothing else."""
    printed = json.loads(done.result.stdout)
    assert printed == json.loads((done.out / "summary.json").read_text())
    assert printed["trades"]["count"] == len(done.trades) > 10
    assert printed["snapshots"] == len(done.snapshots) > 50
    assert printed["rows"] > 1_000


def test_snapshots_have_their_schema(done: Done, sample: Path, lively: Path) -> None:
    """Columns are the features in order, the schema id is that of the profile's settings, the catalog the one read."""
    table = pq.read_table(done.out / "snapshots.parquet")
    assert table.column_names == ["ts", "asset", *(f.name for f in FEATURES)]
    expected = schema_id(load_profile(lively).flow)
    origin = Origin.read(done.out / "snapshots.parquet")
    assert (origin.schema_id, origin.catalog, list(origin.assets)) == (expected, Catalog(sample).digest(), ["BTC"])
    assert json.loads(done.result.stdout)["schema_id"] == expected


def test_dumped_snapshots_are_the_same_file(done: Done) -> None:
    """The copy goes where it was asked, its folder is made."""
    dump = done.out.parent / f"{done.out.name}-dump" / "dumped.parquet"
    assert dump.read_bytes() == (done.out / "snapshots.parquet").read_bytes()


def test_the_trade_log_adds_up(done: Done) -> None:
    """Every row is closed, its net is gross less fees and funding, and the features at entry are its snapshot's."""
    trades, snapshots = done.trades, done.snapshots
    assert list(trades.columns) == [*TRADE_SCHEMA.names, "cost_latency", "cost_spread", "cost_slippage"]
    assert (trades["entry_ns"] >= trades["decided_ns"]).all()
    assert (trades["exit_ns"] >= trades["entry_ns"]).all()
    assert (trades["net"] - (trades["gross"] - trades["fees"] + trades["funding"])).abs().max() < 1e-9
    assert {"stop", "target", "time"} <= set(trades["reason"]) <= {"stop", "target", "time", "end", "stop refused"}
    setups = snapshots.set_index("ts").loc[trades["decided_ns"]]
    for feature in FEATURES:
        seen = setups[feature.name].to_numpy()
        pd.testing.assert_series_equal(
            pd.Series(seen), trades[f"at_entry_{feature.name}"], check_names=False, check_exact=True
        )


def test_every_setup_was_taken_or_passed_over_for_a_reason(done: Done) -> None:
    """Both sides of every snapshot: what is not in passed.parquet was entered; the summary counts the same reasons."""
    setups = pd.read_parquet(done.out / "passed.parquet").drop_duplicates(["ts", "asset", "side"])
    counted = json.loads(done.result.stdout)["not_taken"]
    assert len(setups) == 2 * len(done.snapshots) - len(done.trades)
    reasons = reasons_by_asset(done.out / "passed.parquet")
    assert {why.value: count for why, count in reasons["BTC"].items()} == counted


def test_halts_are_in_a_file_and_counted(done: Done) -> None:
    """The summary counts how often each guard tripped."""
    halts = pd.read_parquet(done.out / "halts.parquet")
    assert list(halts.columns) == HALT_SCHEMA.names
    tripped = halts[halts["what"] == "tripped"]["guard"].value_counts().to_dict()
    assert tripped == json.loads(done.result.stdout)["halts"]


def test_why_not_lists_what_the_run_passed_over(done: Done) -> None:
    """The command reads the results of a run."""
    listed = CliRunner().invoke(why_not, ["--out", str(done.out), "--asset", "BTC", "--limit", "1", "--json"])
    assert listed.exit_code == 0
    assert json.loads(listed.stdout)["count"] == len(pd.read_parquet(done.out / "passed.parquet"))


def test_the_report_shows_price_flow_and_trades(done: Done) -> None:
    """One file on its own: the panels, a chart a trade, the note that the score is no probability, the tearsheet."""
    page = (done.out / "report.html").read_text()
    assert page.count("data-chart=") == len(done.trades)
    for part in (
        "BTC: resting size, price, proven walls, entries and exits",
        "CVD since start",
        "order book imbalance",
        "entry",
        "uncalibrated",
    ):
        assert part in page
    assert "NautilusTrader tearsheet" in page
    assert 'script src="http' not in page


def test_two_runs_are_the_same(done: Done, sample: Path, lively: Path, tmp_path: Path) -> None:
    """The same catalog and profile give the same trades and snapshots, in every value."""
    again = Done(run("--catalog", sample, "--profile", lively, "--out", tmp_path), tmp_path)
    assert again.result.exit_code == 0
    pd.testing.assert_frame_equal(again.trades, done.trades, check_exact=True)
    pd.testing.assert_frame_equal(again.snapshots, done.snapshots, check_exact=True)


def test_a_part_and_a_table(sample: Path, lively: Path, tmp_path: Path) -> None:
    """Start and end cut the run; without --json a table is printed that says where the results are."""
    span = ("--start", "2026-01-05T00:01", "--end", "2026-01-05T00:02")
    result = run("--catalog", sample, "--profile", lively, "--out", tmp_path, *span)
    assert result.exit_code == 0
    assert "replay of" in result.stdout
    assert str(tmp_path) in result.stdout
    times = Done(result, tmp_path).snapshots["ts"]
    minute = 60_000_000_000
    first = pd.Timestamp("2026-01-05T00:01", tz="UTC").value
    assert first <= times.min() <= times.max() <= first + minute


def test_bare_writes_a_summary_alone(sample: Path, lively: Path, tmp_path: Path) -> None:
    """The engine without our actor and strategy: rows and times, no trades and no report."""
    span = ("--start", "2026-01-05T00:01", "--end", "2026-01-05T00:02")
    result = run("--catalog", sample, "--profile", lively, "--out", tmp_path, "--bare", "--json", *span)
    assert result.exit_code == 0
    assert {p.name for p in tmp_path.iterdir()} == {"summary.json"}
    summary = json.loads(result.stdout)
    assert summary["rows"] > 0
    assert summary["snapshots"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--catalog", "nowhere"), "nowhere is not a catalog"),
        (("--profile", "nowhere.toml"), "nowhere.toml: cannot be read"),
        (("--start", "yesterday-ish"), "'yesterday-ish' is not a time"),
        (("--start", "2026-01-06", "--end", "2026-01-05"), "--start 2026-01-06 is after --end 2026-01-05"),
        (("--start", "2030-01-01"), "has no data between the given start and end"),
        (("--bare", "--dump-snapshots", "x.parquet"), "--bare trades nothing"),
        (("--bare", "--snapshots", "x.parquet"), "--bare trades nothing"),
        (("--snapshots", "x.parquet"), "x.parquet is no file of snapshots"),
    ],
)
def test_bad_input_is_exit_2_and_writes_nothing(
    sample: Path, lively: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...], message: str,
) -> None:  # fmt: skip
    """The error names the value; earlier results stay, and nothing half-written lies about."""
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    (out / "summary.json").write_text("of an earlier run")
    given = {"--catalog": str(sample), "--profile": str(lively), "--out": str(out)}
    rest = [pair for name, value in given.items() if name not in arguments for pair in (name, value)]
    result = run(*rest, *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert [p.name for p in out.iterdir()] == ["summary.json"]
    assert (out / "summary.json").read_text() == "of an earlier run"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_profile_with_wrong_keys_is_exit_2(sample: Path, tmp_path: Path) -> None:
    """The keys and their values are on standard error."""
    profile = tmp_path / "profile.toml"
    profile.write_text("[venues.BINANCE]\nmaker_fee = 0.0002\ntaker_fee = 7\n")
    result = run("--catalog", sample, "--profile", profile, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "venues.BINANCE.taker_fee = 7" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_copy_that_cannot_be_written_is_exit_2(sample: Path, lively: Path, tmp_path: Path) -> None:
    """A directory is named for the copy: one line on standard error, and the results are there all the same."""
    (tmp_path / "taken").mkdir()
    span = ("--start", "2026-01-05T00:01", "--end", "2026-01-05T00:01:10")
    given = ("--catalog", sample, "--profile", lively, "--out", tmp_path / "out", *span)
    result = run(*given, "--dump-snapshots", tmp_path / "taken")
    assert result.exit_code == 2
    assert "taken" in result.stderr
    assert "Traceback" not in result.output
    assert {p.name for p in (tmp_path / "out").iterdir()} == RESULTS
    assert list((tmp_path / "taken").iterdir()) == []


def test_honesty_adds_what_each_part_costs(sample: Path, lively: Path, tmp_path: Path) -> None:
    """One row a part in the summary and a table; fees cost just what the accounts paid."""
    given = ("--catalog", sample, "--profile", lively, "--out", tmp_path, "--end", "2026-01-05T00:05")
    assert "what honesty costs" in run(*given, "--honesty").stdout
    summary = json.loads((tmp_path / "summary.json").read_text())
    rows = summary["honesty"]
    assert set(rows) == {"honest", *(f"without {part}" for part in PARTS), "without any"}
    assert rows["honest"]["trades"] == summary["trades"]["count"] > 0
    assert rows["without fees"]["costs"] == pytest.approx(summary["accounts"]["BINANCE"]["fees"], abs=1e-6)
    assert "without fees" in (tmp_path / "report.html").read_text()


def test_a_seed_decides_the_latencies(sample: Path, lively: Path, tmp_path: Path) -> None:
    """The same seed and profile give the same trades, snapshots, latencies and settlements; another seed others."""
    profile = tmp_path / "other.toml"
    profile.write_text(lively.read_text().replace("seed = 7", "seed = 8"))
    tables = {}
    for name, settings in (("one", lively), ("two", lively), ("other", profile)):
        result = run("--catalog", sample, "--profile", settings, "--out", tmp_path / name, "--end", "2026-01-05T00:06")
        assert result.exit_code == 0, result.output
        tables[name] = {
            kind: pd.read_parquet(tmp_path / name / f"{kind}.parquet")
            for kind in ("trades", "snapshots", "latencies", "funding")
        }
    assert len(tables["one"]["trades"]) > 2
    for kind, table in tables["one"].items():
        pd.testing.assert_frame_equal(table, tables["two"][kind], check_exact=True)
    assert list(tables["one"]["latencies"]["drawn_ns"]) != list(tables["other"]["latencies"]["drawn_ns"])
    pd.testing.assert_frame_equal(tables["one"]["snapshots"], tables["other"]["snapshots"], check_exact=True)
