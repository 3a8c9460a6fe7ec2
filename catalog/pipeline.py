"""From source files to a catalog: read, check, define, store. One market an ingest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from catalog.anomalies import Anomaly, AnomalyLog, OnGap, Progress
from catalog.anomalies import Kind as AnomalyKind
from catalog.book_continuity import BookContinuity
from catalog.formats.reader import Reader
from catalog.instruments import read_definition
from catalog.ledger import CatalogError, IngestEntry, fingerprint
from catalog.steps import GivenSteps, InferredSteps, within_limits
from catalog.store import Catalog
from catalog.tables import Kind

LISTED_ANOMALIES = 200


@dataclass(frozen=True)
class IngestResult:
    """What an ingest did. `already` is True when the very same contents were in the catalog and nothing was done."""

    entry: IngestEntry
    already: bool


def ingest(
    root: Path,
    format_name: str,
    reader: Reader,
    files: Sequence[Path],
    *,
    on_gap: OnGap = OnGap.REFUSE,
    instruments: Path | None = None,
    progress: Progress | None = None,
) -> IngestResult:
    """Read `files` as one stream into the catalog at `root`.

    The instrument's definition is `instruments` (the venue's metadata JSON) if given, else what the catalog has, else
    it is inferred from the data. Raises IngestRefusedError (anomalies that the policy does not accept), CatalogError
    and InstrumentMetadataError; in every case the catalog stays as it was.
    """
    market = reader.market
    missing = [str(f) for f in files if not f.is_file()]
    if missing or not files:
        raise CatalogError(f"no such file: {', '.join(missing) or '(none given)'}")
    catalog = Catalog(root)
    sources = [fingerprint(f) for f in files]
    earlier = catalog.ledger.find(market.instrument_id, sources, format_name)
    options = {"instrument_id": market.instrument_id, **reader_options(reader), "on_gap": str(on_gap)}
    if earlier is not None:
        if earlier.options != options:
            changed = ", ".join(
                f"{k} {earlier.options.get(k)}" for k, v in options.items() if earlier.options.get(k) != v
            )
            raise CatalogError(
                f"{', '.join(f.name for f in files)} was ingested before with other options ({changed}): "
                "ingest into another catalog to have it both ways"
            )
        return IngestResult(earlier, already=True)
    given = read_definition(instruments, market) if instruments is not None else catalog.definition(market)
    log = AnomalyLog(on_gap)
    steps = GivenSteps(given, log) if given is not None else InferredSteps(market)
    continuity = BookContinuity(log)
    with catalog.transaction() as transaction:
        for chunk in reader.read(files, log, progress or (lambda _name, _read, _size: None)):
            checked = continuity.check(chunk) if chunk.kind is Kind.BOOK else chunk
            if within_limits(checked, log):
                steps.check(checked)
            if not log.refused:  # else read on only to find every reason
                transaction.append(market, checked)
        log.raise_if_refused()
        if not transaction.rows():
            raise CatalogError(
                f"{', '.join(f.name for f in files)}: no rows for {market.symbol}: wrong --symbol or --market?"
            )
        definition = steps.definition()
        entry = transaction.commit(
            {market: definition},
            {
                "format": format_name,
                "options": options,
                "files": sources,
                "counts": {str(k): n for k, n in sorted(log.counts.items())},
                "anomalies": [a.to_dict() for a in _worth_listing(log.tolerated)],
                "unseeded_books": [market.instrument_id] if log.counts[AnomalyKind.UNSEEDED_BOOK] else [],
                "definition": str(definition.source),
            },
        )
    return IngestResult(entry, already=False)


def reader_options(reader: Reader) -> dict[str, Any]:
    """The options that a reader was made with, as the ledger keeps them."""
    names = [f.name for f in fields(reader)]  # type: ignore[arg-type]  # readers are dataclasses
    return {name: str(getattr(reader, name)) for name in names}


def _worth_listing(anomalies: Iterable[Anomaly]) -> list[Anomaly]:
    return list(anomalies)[:LISTED_ANOMALIES]
