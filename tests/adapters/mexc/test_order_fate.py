"""When "the venue has no such order" may be believed."""

from hypothesis import given
from hypothesis import strategies as st

from adapters.mexc.assumptions import SHOWN_AFTER_SECONDS, SIGNATURE_TOLERANCE_SECONDS
from adapters.mexc.order_fate import LONGEST_WAIT_MS, OrderFate, Verdict

SIGNED = 1_764_000_000_000
WINDOW_MS = round(SIGNATURE_TOLERANCE_SECONDS * 1000)
FINAL = SIGNED + WINDOW_MS + round(SHOWN_AFTER_SECONDS * 1000)


def test_missing_within_the_window_says_nothing() -> None:
    """The request may still be on its way, up to the last millisecond."""
    fate = OrderFate(SIGNED)
    for venue_ms in (SIGNED - 500, SIGNED, SIGNED + WINDOW_MS, FINAL - 1):
        fate.missing(venue_ms)
        assert fate.verdict is Verdict.UNKNOWN


def test_missing_after_the_window_is_final() -> None:
    fate = OrderFate(SIGNED)
    fate.missing(FINAL)
    assert fate.verdict is Verdict.NOT_TAKEN


def test_found_stays_found() -> None:
    """A stale read that comes after a push does not take the order away."""
    fate = OrderFate(SIGNED)
    fate.found()
    fate.missing(FINAL + 1)
    assert fate.verdict is Verdict.TAKEN


def test_found_after_all_beats_not_taken() -> None:
    """What the venue shows is there, whatever was concluded."""
    fate = OrderFate(SIGNED)
    fate.missing(FINAL)
    fate.found()
    assert fate.verdict is Verdict.TAKEN


def test_waits_double_and_end_at_the_window() -> None:
    fate = OrderFate(SIGNED)
    assert [fate.next_wait_ms(SIGNED) for _ in range(6)] == [250, 500, 1000, 2000, 4000, 5000]
    assert fate.next_wait_ms(FINAL - 3) == 3
    assert fate.next_wait_ms(None) == LONGEST_WAIT_MS


@given(
    arrival=st.one_of(st.none(), st.integers(0, WINDOW_MS)),
    clock=st.integers(-9_000, 9_000),
    lag=st.integers(0, round(SHOWN_AFTER_SECONDS * 1000)),
    unanswered=st.sets(st.integers(0, 40)),
)
def test_never_wrong_and_never_endless(arrival: int | None, clock: int, lag: int, unanswered: set[int]) -> None:
    """However wrong our clock was when it signed, however late the request arrives and is shown, the verdict is right,
    and it comes soon after the venue can be asked."""
    sent = SIGNED + clock  # venue time at which it was sent; the signature says SIGNED
    shown = None if arrival is None or sent + arrival > SIGNED + WINDOW_MS else sent + arrival + lag
    fate, now, tries = OrderFate(SIGNED), sent, 0
    while fate.verdict is Verdict.UNKNOWN:
        if tries in unanswered:
            now += fate.next_wait_ms(None)
        else:
            if shown is not None and shown <= now:
                fate.found()
            else:
                fate.missing(now)
            now += fate.next_wait_ms(now)
        tries += 1
    assert fate.verdict is (Verdict.NOT_TAKEN if shown is None else Verdict.TAKEN)
    assert now <= FINAL + (len(unanswered) + 1) * LONGEST_WAIT_MS
