"""The command that writes the built-in market."""

from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from catalog.instruments import Source
from catalog.market_model import MONDAY_2026_01_05, SampleMarket
from catalog.market_truth import Truth, load_truth, truth_path
from catalog.sample_market import app, write_sample_market
from catalog.store import Catalog
from tests.catalog.hand_made import contents

SMALL = {"seed": 7, "hours": 0.01, "assets": 1}


def run(out: Path, **options: object) -> Result:
    flags = [text for name, value in (SMALL | options).items() for text in (f"--{name}", str(value))]
    return CliRunner().invoke(app, ["--out", str(out), *flags])


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    """Every file of two catalogs is equal, and another seed changes the data."""
    for name, seed in (("one", 7), ("two", 7), ("other", 8)):
        assert run(tmp_path / name, seed=seed).exit_code == 0
    one, two, other = (contents(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert len(one) > 20
    trades = [path for path in one if "trade_tick" in path and path.endswith(".parquet")]
    assert len(trades) == 6
    assert not {one[path] for path in trades} & set(other.values())


def test_what_the_catalog_says_of_it(tmp_path: Path) -> None:
    """Instruments of the specs, defined as built in; the arguments in the ledger; all rows of all series."""
    entry = write_sample_market(tmp_path / "catalog", seed=3, hours=0.01, assets=1, venues=("MEXC",))
    catalog = Catalog(tmp_path / "catalog")
    assert catalog.ledger.ingests == [entry]
    assert entry.format == "sample-market"
    assert entry.options == {
        "seed": 3,
        "hours": 0.01,
        "assets": 1,
        "venues": ["MEXC"],
        "start_ns": MONDAY_2026_01_05,
        "edge": 1.0,
    }
    perp, spot = catalog.instruments()
    assert (str(perp.id), str(perp.multiplier), str(perp.raw_symbol)) == ("BTCUSDT-PERP.MEXC", "0.0001", "BTC_USDT")
    assert (str(spot.id), str(spot.size_increment)) == ("BTCUSDT.MEXC_SPOT", "0.000001")
    assert {i.info["definition"] for i in (perp, spot)} == {Source.BUILT_IN}
    assert perp.base_currency.code == spot.base_currency.code == "BTC"
    assert perp.quote_currency.code == spot.quote_currency.code == "USDT"
    ticks = catalog.nautilus.trade_ticks()
    assert len(ticks) == sum(s.rows for s in entry.series if s.kind == "trade_tick") > 0
    assert all(t.price.as_decimal() % Decimal("0.1") == 0 for t in ticks if t.instrument_id == perp.id)


def test_the_command_shows_what_it_made(tmp_path: Path) -> None:
    """A start of one's own, and one line a series."""
    result = run(tmp_path / "catalog", start="2026-02-03T04:05", venues="BYBIT, MEXC")
    assert result.exit_code == 0
    assert "ingested as sample-market (instrument: built-in)" in result.stdout
    catalog = Catalog(tmp_path / "catalog")
    assert {str(i.id.venue) for i in catalog.instruments()} == {"BYBIT", "MEXC", "MEXC_SPOT"}
    assert min(s.first_ns for s in catalog.ledger.series()) // 10**9 == 1_770_091_500  # date -u -d 2026-02-03T04:05 +%s


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hours": 0}, "hours is 0.0"),
        ({"assets": 0}, "assets is 0"),
        ({"venues": "OKX"}, "choose from BINANCE, BYBIT, MEXC"),
        ({"start": "noon"}, "'noon' is not a time"),
        ({"start": "2026-01-05T00:00:30"}, "(2026-01-05 00:00:30.000000): give a full minute"),
        ({"start": "1969-12-31"}, "(1969-12-31 00:00:00.000000): give a full minute from 1970 on"),
        ({"start": "2199-12-31T23:00", "hours": 2}, "end by 2200"),
        ({"start": "2500-01-01"}, "'2500-01-01' is no time that 64-bit nanoseconds hold"),
        ({"hours": "nan"}, "hours is nan"),
        ({"seed": -1}, "seed is -1"),
        ({"venues": " , "}, "choose from BINANCE, BYBIT, MEXC"),
        ({"edge": -1}, "edge is -1.0: give 0 for a market without an edge"),
        ({"edge": "nan"}, "edge is nan"),
    ],
)
def test_arguments_that_make_no_market(tmp_path: Path, options: dict[str, object], message: str) -> None:
    """Exit code 2, what is wrong, and nothing made."""
    result = run(tmp_path / "catalog", **options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert contents(tmp_path) == {}


def test_a_directory_that_holds_data_is_refused(tmp_path: Path) -> None:
    """The same command twice: the second is refused and changes nothing."""
    out = tmp_path / "catalog"
    run(out)
    before = contents(tmp_path)
    result = run(out, seed=8)
    assert result.exit_code == 2
    assert f"error: {out} holds data already: give a new directory, or delete it" in result.stderr
    assert contents(tmp_path) == before


def test_the_truth_is_beside_the_catalog_and_not_in_it(tmp_path: Path) -> None:
    """What the generator planted, in a directory of its own that no reader of the catalog meets."""
    out = tmp_path / "catalog"
    result = run(out, hours=0.2)
    assert result.exit_code == 0
    assert f"truth: {tmp_path}/catalog.truth" in result.stdout
    truth = load_truth(truth_path(out))
    known = {str(instrument.id) for instrument in Catalog(out).instruments()}
    assert truth.walls
    assert {wall.instrument_id for wall in truth.walls} <= known
    planted = Truth()
    for _ in SampleMarket(seed=7, hours=0.2, assets=1).chunks(truth=planted):
        pass
    assert truth == planted
    assert not [path for path in contents(out) if "truth" in str(path) or "episode" in str(path)]


def test_a_truth_that_was_left_behind_is_not_written_over(tmp_path: Path) -> None:
    """A deleted catalog's truth stays, and no new catalog is made beside it."""
    out = tmp_path / "catalog"
    (tmp_path / "catalog.truth").mkdir()
    result = run(out)
    assert result.exit_code == 2
    assert "catalog.truth holds the truth of another sample" in result.stderr
    assert not out.exists()


def test_an_edge_of_ones_own_is_in_the_ledger(tmp_path: Path) -> None:
    """A market without an edge says so."""
    assert run(tmp_path / "catalog", edge=0).exit_code == 0
    assert Catalog(tmp_path / "catalog").ledger.ingests[0].options["edge"] == 0.0
