"""The ingest command: what it writes, what it refuses, and what it then says."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from catalog.ingest import app
from catalog.store import Catalog
from tests.catalog.hand_made import (
    PERP,
    contents,
    diff_line,
    snapshot_line,
    sound_capture,
    trade_line,
    write_gz,
)

ROOT = Path(__file__).parents[2]


def run(*arguments: object) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(argument) for argument in arguments])


def plain(text: str) -> str:
    """Without colours, frames and line breaks, which depend on the terminal."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m|[│╭╮╰╯─┃┏┓┗┛━┡┩╇┳┻]", " ", text).split())


def ingest(out: Path, *files: Path, **options: object) -> Result:
    """A capture of BTCUSDT perps; an option that is None is left out."""
    chosen = {"market": "usdm", "symbol": "BTCUSDT"} | options
    flags = [
        text
        for name, value in chosen.items()
        if value is not None
        for text in (f"--{name.replace('_', '-')}", str(value))
    ]
    return run("binance-capture", *flags, "--out", out, *files)


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return write_gz(tmp_path / "captures" / "a.gz", sound_capture())


def test_a_capture_is_ingested_and_summed_up(tmp_path: Path, capture: Path) -> None:
    """Exit code 0, a table of series with their rows, and the rows in the catalog."""
    result = ingest(tmp_path / "catalog", capture)
    assert result.exit_code == 0, result.output
    shown = plain(result.stdout)
    assert "ingested as binance-capture (instrument: inferred)" in shown
    assert "BTCUSDT-PERP.BINANCE order_book_deltas 5 2024-07-18 23:57:01.000000 2024-07-18 23:57:01.001000" in shown
    assert "BTCUSDT-PERP.BINANCE trade_tick 2 " in shown
    catalog = Catalog(tmp_path / "catalog")
    assert [str(i.id) for i in catalog.instruments()] == [PERP.instrument_id]
    assert [str(t.price) for t in catalog.nautilus.trade_ticks()] == ["100.5", "100.0"]


def test_the_same_command_again_says_that_nothing_changed(tmp_path: Path, capture: Path) -> None:
    """Exit code 0, and every byte of the catalog as it was."""
    ingest(tmp_path / "catalog", capture)
    before = contents(tmp_path)
    result = ingest(tmp_path / "catalog", capture)
    assert result.exit_code == 0
    assert result.stdout == "already ingested, nothing changed: a.gz\n"
    assert contents(tmp_path) == before


def test_two_files_are_read_as_one_stream(tmp_path: Path, capture: Path) -> None:
    """The second file goes on where the first ended; the other way round its diffs have no snapshot to follow."""
    second = write_gz(tmp_path / "captures" / "b.gz", [diff_line(10, (7, 8, 9), asks=[("101", "2")])])
    assert ingest(tmp_path / "catalog", capture, second).exit_code == 0
    (entry,) = Catalog(tmp_path / "catalog").ledger.ingests
    assert [f.name for f in entry.files] == ["a.gz", "b.gz"]
    assert ingest(tmp_path / "backwards", second, capture).exit_code == 2


def test_a_clock_offset_moves_receive_times(tmp_path: Path, capture: Path) -> None:
    """A recorder 1.5 ms behind: every ts_init is 1.5 ms later, ts_event stays."""
    ingest(tmp_path / "plain", capture)
    ingest(tmp_path / "moved", capture, clock_offset_ms=1.5)
    before, after = (Catalog(tmp_path / name).nautilus.trade_ticks() for name in ("plain", "moved"))
    assert [b.ts_init - a.ts_init for a, b in zip(before, after, strict=True)] == [1_500_000] * 2
    assert [t.ts_event for t in before] == [t.ts_event for t in after]


def test_a_long_list_of_findings_is_left_to_inspect(tmp_path: Path) -> None:
    """Twenty are shown, and where the others are."""
    lines = [trade_line(n, 2 * n, "100.5", "0.002") for n in range(1, 32)]
    result = ingest(tmp_path / "catalog", write_gz(tmp_path / "a.gz", lines))
    assert "id_jump: 30" in result.stdout
    assert result.stdout.count("a.gz:") == 20
    assert "... python catalog/inspect.py lists 30 of them" in result.stdout


class TestRefusals:
    def refused(self, result: Result, folder: Path, before: dict[str, str], *messages: str) -> None:
        """Exit code 2, a plain error without a traceback, and nothing written."""
        assert result.exit_code == 2
        for message in messages:
            assert message in plain(result.stderr), result.stderr
        assert isinstance(result.exception, SystemExit)
        assert contents(folder) == before

    def test_anomalies(self, tmp_path: Path, capture: Path) -> None:
        """A crossed book and a missing update, both with file and line, and the way out of it."""
        lines = [
            snapshot_line(1000, 50, [("100", "1")], [("101", "1")]),
            diff_line(1001, (50, 51, 52), bids=[("101.5", "2")]),
            diff_line(1002, (60, 61, 62), bids=[("100", "2")]),
        ]
        ingest(tmp_path / "catalog", capture)
        bad = write_gz(tmp_path / "captures" / "bad.gz", lines)
        before = contents(tmp_path)
        self.refused(
            ingest(tmp_path / "catalog", bad),
            tmp_path,
            before,
            "refused, nothing was written: 2 anomalies",
            "bad.gz:2: crossed_book: best bid 101.5 is not below best ask 101.0",
            "bad.gz:3: gap: updates are missing",
            "is as it was. A gap or a crossed book can be resynced with --on-gap resync.",
        )
        self.refused(ingest(tmp_path / "new", bad), tmp_path, before, "the catalog")
        result = ingest(tmp_path / "catalog", bad, on_gap="resync")
        assert result.exit_code == 0
        assert "crossed_book: 1 gap: 1" in plain(result.stdout)
        assert "bad.gz:3: gap: updates are missing" in plain(result.stdout)

    def test_metadata_with_another_tick(self, tmp_path: Path, capture: Path) -> None:
        """--instruments is used: the price that is off its tick is named with its line, and a right file is taken."""
        price = {"filterType": "PRICE_FILTER", "tickSize": "1"}
        lot = {"filterType": "LOT_SIZE", "stepSize": "0.002", "minQty": "0.002", "maxQty": "9"}
        entry = {"symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT"}
        path = tmp_path / "exchangeInfo.json"

        def save() -> None:
            path.write_text(json.dumps({"symbols": [entry | {"filters": [price, lot]}]}))

        save()
        before = contents(tmp_path)
        self.refused(
            ingest(tmp_path / "catalog", capture, instruments=path),
            tmp_path,
            before,
            "a.gz:3: bad_value: price 100.5 is not a multiple of tick 1 (metadata)",
        )
        price["tickSize"] = "0.10"
        save()
        result = ingest(tmp_path / "catalog", capture, instruments=path)
        assert "(instrument: metadata)" in plain(result.stdout)
        (instrument,) = Catalog(tmp_path / "catalog").instruments()
        assert str(instrument.price_increment) == "0.1"

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"market": None}, "error: format binance-capture needs --market: one of spot, usdm"),
            ({"market": "coinm"}, "error: --market coinm: format binance-capture takes spot, usdm"),
            ({"interval": "1m"}, "error: --interval 1m: format binance-capture has no such option"),
            ({"symbol": "ETHUSDT"}, "wrong_symbol: there is nothing of ETHUSDT, only BTCUSDT"),
            ({"instruments": "nowhere.json"}, "error: nowhere.json: cannot be read as JSON"),
            ({"on_gap": "ignore"}, "'ignore' is not one of 'refuse', 'resync'"),
            ({"colour": "blue"}, "No such option: --colour"),
        ],
    )
    def test_options(self, tmp_path: Path, capture: Path, options: dict[str, Any], message: str) -> None:
        """Each wrong option is named with what would do."""
        before = contents(tmp_path)
        self.refused(ingest(tmp_path / "catalog", capture, **options), tmp_path, before, message)

    def test_files(self, tmp_path: Path, capture: Path) -> None:
        """Missing files, empty ones, and what is no capture."""
        missing, text = tmp_path / "b.gz", tmp_path / "notes.txt"
        text.write_text("price,size\n")
        before = contents(tmp_path)
        out = tmp_path / "catalog"
        self.refused(ingest(out, capture, missing), tmp_path, before, f"error: no such file: {missing}")
        self.refused(ingest(out, text), tmp_path, before, "notes.txt:1: malformed")
        none = run("binance-capture", "--symbol", "X", "--out", out)
        self.refused(none, tmp_path, before, "Missing argument 'FILE...'")

    def test_formats(self, tmp_path: Path, capture: Path) -> None:
        """An unknown format is answered with those that there are."""
        before = contents(tmp_path)
        result = run("binance", "--symbol", "BTCUSDT", "--out", tmp_path / "catalog", capture)
        self.refused(result, tmp_path, before, "error: format 'binance' is unknown; there are binance-capture,")

    def test_a_span_that_is_taken(self, tmp_path: Path, capture: Path) -> None:
        """Other data of the same minutes is refused with the file that the catalog has them from."""
        ingest(tmp_path / "catalog", capture)
        other = write_gz(tmp_path / "captures" / "b.gz", [trade_line(n, n, "100.5", "0.002") for n in (1, 2, 3)])
        before = contents(tmp_path)
        result = ingest(tmp_path / "catalog", other)
        self.refused(result, tmp_path, before, "trade_tick:", "that the catalog has from a.gz", "another catalog")

    def test_a_file_in_place_of_the_catalog(self, tmp_path: Path, capture: Path) -> None:
        """--out names a file."""
        before = contents(tmp_path)
        self.refused(ingest(capture, capture), tmp_path, before, "error:", str(capture))


def test_the_commands_run_as_scripts_from_anywhere(tmp_path: Path, capture: Path) -> None:
    """Both launchers find the project, and the standard library's `inspect` is not shadowed by ours."""

    ingest(tmp_path / "catalog", capture)
    commands = (
        ("ingest.py", "binance-capture", "--market=usdm", "--symbol=BTCUSDT", "--out=other", "captures/a.gz"),
        ("inspect.py", "catalog", "--json"),
    )
    lines = [[sys.executable, str(ROOT / "catalog" / script), *arguments] for script, *arguments in commands]
    # our own scripts, nothing from outside
    started = [subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for line in lines]  # noqa: S603
    shown = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert "ingested as binance-capture" in plain(shown[0])
    report = json.loads(shown[1])
    assert [i["instrument_id"] for i in report["instruments"]] == [PERP.instrument_id]
    assert report["rows"] == 9
    assert contents(tmp_path / "other") == contents(tmp_path / "catalog")
