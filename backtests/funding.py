"""When funding is settled and at what rate, from what a catalog has of it.

A venue's stream says what the next settlement's rate would be now; the last such word before the settlement is what is
settled. Dumps of the past (``fundingRate``) have what was settled. Where a catalog has both, the settled one counts.
"""

from dataclasses import dataclass
from decimal import Decimal

from backtests.market_data import slow_events
from catalog.ledger import SeriesEntry
from catalog.store import Catalog
from catalog.tables import Kind

SETTLED_FORMATS = frozenset({"binance-funding"})
"""Formats whose rows are settlements; the rows of all others are announcements of the next one."""
HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True)
class Settlement:
    """A settlement of funding at `ts` (UNIX ns): `rate` is a fraction of the position's value; positive: longs pay."""

    ts: int
    rate: Decimal


def settlements(catalog: Catalog, instrument_id: str, start_ns: int, end_ns: int) -> list[Settlement]:
    """The settlements of a perp between two times (UNIX ns, both included), in order of time.

    Empty where the catalog has no funding of it, or none falls inside.
    """
    announced: dict[int, Decimal] = {}
    settled: dict[int, Decimal] = {}
    for ingest in catalog.ledger.ingests:
        for entry in ingest.series:
            if entry.instrument_id == instrument_id and entry.kind == Kind.FUNDING:
                if ingest.format in SETTLED_FORMATS:
                    settled |= _settled(catalog, entry)
                else:
                    announced |= _announced(catalog, entry)
    found = announced | settled
    return [Settlement(ts, found[ts]) for ts in sorted(found) if start_ns <= ts <= end_ns]


def _settled(catalog: Catalog, entry: SeriesEntry) -> dict[int, Decimal]:
    # reported some milliseconds after the full hour that it is of
    return {
        (event.ts_event + HOUR_NS // 2) // HOUR_NS * HOUR_NS: Decimal(event.rate)
        for events in slow_events(catalog.root / entry.path, Kind.FUNDING)
        for event in events
    }


def _announced(catalog: Catalog, entry: SeriesEntry) -> dict[int, Decimal]:
    """The last rate that was announced for each settlement before it."""
    found: dict[int, Decimal] = {}
    for events in slow_events(catalog.root / entry.path, Kind.FUNDING):
        for event in events:
            due = event.next_funding_ns
            if due and event.ts_init <= due:
                found[due] = Decimal(event.rate)
    return found
