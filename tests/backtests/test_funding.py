"""When funding is settled, and at what rate."""

from decimal import Decimal
from pathlib import Path

from backtests.funding import HOUR_NS, Settlement, settlements
from catalog.markets import Market, MarketKind
from catalog.store import Catalog
from catalog.tables import Chunk, Kind
from tests.backtests.conftest import T0, TENTHS, chunk, ns, write_catalog

PERP = Market("BINANCE", MarketKind.PERP, "BTCUSDT")
NAME = PERP.instrument_id
HOUR_US = HOUR_NS // 1_000


def announced(*rows: tuple[int, str, int]) -> Chunk:
    """Rows of (microsecond, rate, microsecond of the settlement that it is for; 0: not said)."""
    columns = {
        "rate": [rate for _, rate, _ in rows],
        "interval_minutes": [480] * len(rows),
        "next_funding_ns": [ns(due) if due else 0 for *_, due in rows],
    }
    return chunk(Kind.FUNDING, columns, [us for us, *_ in rows])


def found(catalog: Catalog, start_us: int = 0, end_us: int = 10 * HOUR_US) -> list[Settlement]:
    return settlements(catalog, NAME, ns(start_us), ns(end_us))


def test_the_last_word_before_a_settlement_counts(tmp_path: Path) -> None:
    """1 bp was announced, then 2; what is said after it belongs to the next one."""
    catalog = write_catalog(
        tmp_path / "c",
        {PERP: [announced((0, "0.0001", 900), (500, "0.0002", 900), (950, "0.0005", 2_000), (1_000, "0.0006", 2_000))]},
        {PERP: TENTHS},
    )
    assert found(catalog) == [Settlement(ns(900), Decimal("0.0002")), Settlement(ns(2_000), Decimal("0.0006"))]


def test_a_word_that_comes_late_is_none(tmp_path: Path) -> None:
    """A rate for a settlement that is over, and one without a time, settle nothing."""
    catalog = write_catalog(
        tmp_path / "c", {PERP: [announced((1_000, "0.0001", 900), (2_000, "0.1", 0))]}, {PERP: TENTHS}
    )
    assert found(catalog) == []


def test_only_what_falls_inside_is_settled(tmp_path: Path) -> None:
    """Both ends included."""
    catalog = write_catalog(
        tmp_path / "c", {PERP: [announced((0, "0.0001", 900), (950, "0.0002", 2_000))]}, {PERP: TENTHS}
    )
    assert [s.ts for s in found(catalog, 900, 2_000)] == [ns(900), ns(2_000)]
    assert [s.ts for s in found(catalog, 901, 1_999)] == []


def test_another_market_is_another(tmp_path: Path) -> None:
    """A catalog without funding of a market settles nothing on it."""
    catalog = write_catalog(tmp_path / "c", {PERP: [announced((0, "0.0001", 900))]}, {PERP: TENTHS})
    assert settlements(catalog, "ETHUSDT-PERP.BINANCE", 0, ns(10**9)) == []


def test_a_dump_has_what_was_settled(tmp_path: Path) -> None:
    """Binance's fundingRate rows are of the full hour that they follow by milliseconds, and overrule announcements."""
    eight = T0 // HOUR_NS * HOUR_NS + 8 * HOUR_NS
    due_us = (eight - T0) // 1_000
    catalog = write_catalog(tmp_path / "c", {PERP: [announced((0, "0.0001", due_us))]}, {PERP: TENTHS})
    assert found(catalog) == [Settlement(eight, Decimal("0.0001"))]
    with catalog.transaction() as transaction:
        transaction.append(PERP, announced((due_us + 7_000, "0.00037", 2 * due_us)))
        entry = {
            "options": {},
            "files": [],
            "counts": {},
            "anomalies": [],
            "unseeded_books": [],
            "definition": "metadata",
        }
        transaction.commit({PERP: TENTHS}, entry | {"format": "binance-funding"})
    assert found(Catalog(tmp_path / "c")) == [Settlement(eight, Decimal("0.00037"))]
