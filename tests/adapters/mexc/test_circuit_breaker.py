"""The breaker and the backoff, on a clock that the test sets."""

import pytest

from adapters.mexc.backoff import Backoff
from adapters.mexc.circuit_breaker import BreakerRule, BreakerState, CircuitBreaker

RULE = BreakerRule(failures=3, window_seconds=10.0, first_open_seconds=2.0, most_open_seconds=8.0, probes_to_close=2)


def opened(at: float = 0.0) -> CircuitBreaker:
    breaker = CircuitBreaker(RULE)
    for _ in range(3):
        breaker.failed(at)
    return breaker


def test_opens_at_failures_within_the_window() -> None:
    """Three failures in ten seconds open it; spread wider they do not."""
    assert opened().state(0.0) is BreakerState.OPEN
    spread = CircuitBreaker(RULE)
    for at in (0.0, 6.0, 12.0, 18.0):
        spread.failed(at)
    assert spread.state(18.0) is BreakerState.CLOSED


def test_open_refuses_all_but_urgent_ones() -> None:
    """Cancels pass an open breaker."""
    breaker = opened()
    assert not breaker.admits(1.9)
    assert breaker.admits(1.9, urgent=True)
    assert breaker.retry_at() == 2.0


def test_half_open_lets_one_probe_at_a_time() -> None:
    """After the pause a single probe goes; two good ones in a row close the breaker."""
    breaker = opened()
    assert breaker.admits(2.0)
    assert breaker.state(2.0) is BreakerState.HALF_OPEN
    assert not breaker.admits(2.0)
    breaker.succeeded(2.1)
    assert breaker.state(2.1) is BreakerState.HALF_OPEN
    assert breaker.admits(2.2)
    breaker.succeeded(2.3)
    assert breaker.state(2.3) is BreakerState.CLOSED
    assert breaker.admits(2.3)


def test_failed_probes_double_the_pause_up_to_its_most() -> None:
    """2, 4, 8, 8 seconds; after closing it begins with 2 again."""
    breaker = opened()
    now = 0.0
    for pause in (2.0, 4.0, 8.0, 8.0):
        assert breaker.retry_at() == now + pause
        now += pause
        assert breaker.admits(now)
        breaker.failed(now)
    now = breaker.retry_at()
    for _ in range(2):
        assert breaker.admits(now)
        breaker.succeeded(now)
    for _ in range(3):
        breaker.failed(now)
    assert breaker.retry_at() == now + 2.0


def test_an_abandoned_probe_makes_room_for_the_next() -> None:
    """A probe that its caller cancelled says nothing, and must not block for ever."""
    breaker = opened()
    assert breaker.admits(2.0)
    breaker.abandoned(2.1)
    assert breaker.admits(2.2)


def test_late_answers_while_open_change_nothing() -> None:
    """Requests that were under way when it opened may still end."""
    breaker = opened()
    breaker.succeeded(0.5)
    breaker.failed(0.6)
    assert breaker.retry_at() == 2.0
    assert breaker.state(1.0) is BreakerState.OPEN


def test_backoff_doubles_keeps_a_random_half_and_obeys_the_venue() -> None:
    """1, 2, 4, ... at most 5; between half and all of it; never less than asked."""
    backoff = Backoff(1.0, 5.0)
    assert [backoff.seconds(n, uniform=lambda: 1.0) for n in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    assert [backoff.seconds(n, uniform=lambda: 0.0) for n in range(3)] == [0.5, 1.0, 2.0]
    assert backoff.seconds(0, at_least=30.0) == 30.0
    assert backoff.seconds(10_000, uniform=lambda: 1.0) == 5.0


def test_backoff_limits() -> None:
    """A first step of 0 would hammer the venue."""
    with pytest.raises(ValueError, match="must be above 0"):
        Backoff(0.0, 1.0)
    with pytest.raises(ValueError, match="most not below"):
        Backoff(2.0, 1.0)
