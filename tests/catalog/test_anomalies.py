"""What is refused, what is told, and when reading stops."""

import json
from pathlib import Path

import pytest

from catalog.anomalies import CONTINUITY, INFORMATIONAL, Anomaly, AnomalyLog, IngestRefusedError, Kind, OnGap


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("on_gap", OnGap)
def test_what_each_policy_tolerates(kind: Kind, on_gap: OnGap) -> None:
    """Information never stops an ingest; a break of continuity only where it is not resynced; all else always."""
    log = AnomalyLog(on_gap)
    tolerated = log.report(kind, Path("folder") / "a.gz", 7, "why")
    assert tolerated == (kind in INFORMATIONAL or (kind in CONTINUITY and on_gap is OnGap.RESYNC))
    expected = [Anomaly(kind, "a.gz", 7, "why")]
    assert (log.tolerated, log.refused) == ((expected, []) if tolerated else ([], expected))
    assert log.counts == {kind: 1}


def test_information_and_continuity_do_not_overlap() -> None:
    """A gap and a crossed book are the only findings with a choice."""
    assert {Kind.GAP, Kind.CROSSED_BOOK} == CONTINUITY
    assert not CONTINUITY & INFORMATIONAL


def test_a_refusal_shows_every_reason_with_file_and_line() -> None:
    """Reading goes on after the first finding, and the error lists both; without findings nothing is raised."""
    log = AnomalyLog()
    log.raise_if_refused()
    log.report(Kind.SKIPPED, "a.gz", None, "3 frames of kline")
    log.report(Kind.GAP, "a.gz", 12, "updates are missing")
    log.report(Kind.MALFORMED, "b.gz", None, "the file has no rows")
    with pytest.raises(IngestRefusedError) as error:
        log.raise_if_refused()
    assert [a.kind for a in error.value.anomalies] == [Kind.GAP, Kind.MALFORMED]
    assert str(error.value).splitlines() == [
        "refused, nothing was written: 2 anomalies",
        "  a.gz:12: gap: updates are missing",
        "  b.gz: malformed: the file has no rows",
    ]


def test_reading_stops_at_the_limit() -> None:
    """The third of three findings raises at once and says that there may be more."""
    log = AnomalyLog(limit=3)
    log.report(Kind.DUPLICATE, "a", 1, "twice")
    log.report(Kind.DUPLICATE, "a", 2, "twice")
    with pytest.raises(IngestRefusedError, match=r"3 anomalies(.|\n)*reading stopped here"):
        log.report(Kind.DUPLICATE, "a", 3, "twice")


def test_counts_stay_exact_when_the_list_is_full() -> None:
    """Ten thousand findings are kept for people, and every one is counted."""
    log = AnomalyLog()
    for line in range(10_003):
        log.report(Kind.CLOCK_SKEW, "a", line, "early")
    assert len(log.tolerated) == 10_000
    assert log.counts[Kind.CLOCK_SKEW] == 10_003


def test_an_anomaly_is_plain_json() -> None:
    """The ledger keeps kind, file, line, message and time as they are."""
    anomaly = Anomaly(Kind.ID_JUMP, "a.gz", 3, "2 ids are missing", ts=5)
    expected = {"kind": "id_jump", "file": "a.gz", "line": 3, "message": "2 ids are missing", "ts": 5}
    assert json.loads(json.dumps(anomaly.to_dict())) == expected
