"""Latencies follow their law, and nothing overtakes on a connection."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from backtests.latency import MS_NS, Connection, LatencyLaw

LAW = LatencyLaw(median_ms=20.0, sigma=0.5, floor_ms=5.0)


@pytest.mark.parametrize("law", [LAW, LatencyLaw(60.0, 0.7, 20.0), LatencyLaw(3.0, 1.2)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_samples_follow_the_configured_law(law: LatencyLaw, seed: int) -> None:
    """A Kolmogorov-Smirnov test against scipy's log-normal, shifted by the floor, does not reject."""
    connection = Connection("BINANCE", law, seed=seed)
    drawn = [connection.send(k * 10**12).drawn_ns / MS_NS for k in range(4_000)]
    want = stats.lognorm(s=law.sigma, loc=law.floor_ms, scale=law.median_ms - law.floor_ms)
    assert stats.kstest(drawn, want.cdf).pvalue > 0.001
    assert np.median(drawn) == pytest.approx(law.median_ms, rel=0.05)
    assert min(drawn) > law.floor_ms


def test_another_law_is_told_apart() -> None:
    """The test above could fail: a sigma of 0.5 is not one of 0.6."""
    connection = Connection("BINANCE", LAW, seed=1)
    drawn = [connection.send(k * 10**12).drawn_ns / MS_NS for k in range(4_000)]
    assert stats.kstest(drawn, stats.lognorm(s=0.6, loc=5.0, scale=15.0).cdf).pvalue < 1e-6


@given(st.lists(st.integers(0, 30 * MS_NS), min_size=2, max_size=60), st.integers(0, 2**32), st.integers(0, 10 * MS_NS))
def test_no_command_overtakes_another(gaps: list[int], seed: int, feed_ns: int) -> None:
    """Arrivals rise strictly in the order of sending, and none is earlier than what it drew and the data's age."""
    connection = Connection("BYBIT", LatencyLaw(20.0, 1.5, 1.0), seed=seed, feed_ns=feed_ns)
    now = 0
    for gap in gaps:
        now += gap
        connection.send(now)
    arrivals = [t.arrival_ns for t in connection.transits]
    assert all(a < b for a, b in pairwise(arrivals))
    assert all(t.arrival_ns >= t.sent_ns + t.drawn_ns + feed_ns for t in connection.transits)


def test_a_command_that_was_overtaken_waits_behind_the_other() -> None:
    """By hand, without a spread: sent at 0 and 5 ns they arrive 20 ms later; at the same time, 1 ns apart."""
    connection = Connection("MEXC", LatencyLaw(20.0), seed=7)
    assert [connection.send(ns).arrival_ns for ns in (0, 5, 5)] == [20 * MS_NS, 20 * MS_NS + 5, 20 * MS_NS + 6]


def test_a_venue_has_a_stream_of_its_own() -> None:
    """The same seed gives the same latencies again; another venue or another seed others."""

    def drawn(name: str, seed: int) -> list[int]:
        connection = Connection(name, LAW, seed=seed)
        return [connection.send(k).drawn_ns for k in range(5)]

    assert drawn("BINANCE", 7) == drawn("BINANCE", 7)
    assert len({tuple(drawn(n, s)) for n, s in (("BINANCE", 7), ("BYBIT", 7), ("BINANCE", 8))}) == 3


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((-1.0, 0.5, 0.0), "median_ms is -1.0"),
        ((20.0, -0.5, 0.0), "sigma is -0.5"),
        ((20.0, 0.5, float("nan")), "floor_ms is nan"),
        ((20.0, 0.5, 21.0), "floor_ms 21.0 lies above median_ms 20.0"),
    ],
)
def test_a_law_that_cannot_be_is_refused(numbers: tuple[float, float, float], words: str) -> None:
    """The message names the number."""
    with pytest.raises(ValueError, match=words):
        LatencyLaw(*numbers)


def test_data_do_not_come_before_they_were_sent() -> None:
    """A negative age of the data is refused."""
    with pytest.raises(ValueError, match="feed_ns of BINANCE is -1"):
        Connection("BINANCE", LAW, seed=1, feed_ns=-1)
