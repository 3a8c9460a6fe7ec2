"""The command that lists setups that were not taken."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from backtests.passed_file import PassedWriter
from backtests.why_not import app
from strategies.candidates import Passed, Why
from tests.strategies.conftest import at


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder of a run that passed over two setups of BTC a scan and one of ETH, for ten scans."""
    with PassedWriter(tmp_path / "passed.parquet") as writer:
        for scan in range(10):
            writer.add(
                [
                    Passed("BTC", 1, at(scan), "BINANCE", Why.COST, f"dear at scan {scan}"),
                    Passed("BTC", -1, at(scan), None, Why.NO_BOOK, "a side is empty"),
                    Passed("ETH", 1, at(scan), "MEXC", Why.COST, "dear"),
                ]
            )
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def printed(*arguments: object) -> dict:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_all_of_it(out: Path) -> None:
    """Rows in all and by reason, the most frequent first; the rows themselves in order of time."""
    found = printed("--out", out)
    assert (found["count"], list(found["reasons"].items())) == (30, [("cost", 20), ("no book", 10)])
    assert [row["ts"] for row in found["rows"]] == [at(k) for k in range(10) for _ in range(3)]
    assert found["file"] == str(out / "passed.parquet")


def test_the_newest_rows_of_what_was_asked_for(out: Path) -> None:
    """Of an asset and a reason; all are counted, few are listed."""
    found = printed("--out", out, "--asset", "BTC", "--why", "cost", "--limit", 2)
    assert (found["count"], found["reasons"]) == (10, {"cost": 10})
    assert [row["detail"] for row in found["rows"]] == ["dear at scan 8", "dear at scan 9"]
    assert found["rows"][0] == {
        "ts": at(8), "asset": "BTC", "side": "long", "venue": "BINANCE", "why": "cost", "detail": "dear at scan 8"
    }  # fmt: skip
    assert printed("--out", out, "--why", "no book", "--limit", 0)["rows"] == []


def test_a_reason_that_did_not_occur_is_an_empty_answer(out: Path) -> None:
    """It is a reason, and nothing was passed over for it."""
    assert printed("--out", out, "--asset", "ETH", "--why", "stale")["count"] == 0
    assert run("--out", out, "--why", "stale").exit_code == 0


def test_tables_for_people(out: Path) -> None:
    """Counts by reason, then the rows with their times; no venue is a dash."""
    words = run("--out", out, "--asset", "BTC", "--limit", 2).stdout
    assert "20 rows of" in words
    assert "2023-11-14 22:13:29" in words
    assert "a side is empty" in words
    assert "ETH" not in words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--out", "nowhere"), "nowhere/passed.parquet is not there: give the --out of a replay"),
        (("--asset", "DOGE"), "no setup of DOGE in"),
        (("--asset", "DOGE"), "it has BTC, ETH"),
        (("--why", "bad luck"), "Invalid value for '--why'"),
        (("--limit", "-1"), "Invalid value for '--limit'"),
    ],
)
def test_bad_input_is_exit_2(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    """The error names the value and what there is."""
    monkeypatch.chdir(tmp_path)
    given = arguments if "--out" in arguments else ("--out", str(out), *arguments)
    result = run(*given)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_a_file_of_something_else_is_exit_2(tmp_path: Path) -> None:
    """One line on standard error."""
    (tmp_path / "passed.parquet").write_text("no table")
    result = run("--out", tmp_path)
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr
    assert "Traceback" not in result.output
