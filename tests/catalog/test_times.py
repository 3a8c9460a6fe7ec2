"""Times as people write them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.times import format_ns, parse_ns

NOON = 1_721_304_000_000_000_000  # date -u -d '2024-07-18 12:00' +%s


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2024-07-18", NOON - 12 * 3600 * 10**9),
        ("2024-07-18T12:00", NOON),
        ("2024-07-18 12:00:00.000000001", NOON + 1),
        ("2024-07-18T12:00Z", NOON),
        ("2024-07-18T14:00+02:00", NOON),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text: str, ns: int) -> None:
    """Dates, minutes, nanoseconds and offsets, as UNIX nanoseconds."""
    assert parse_ns(text) == ns


@pytest.mark.parametrize("text", ["", "NaT", "yesterday evening", "2024-02-30", "7"])
def test_what_is_no_time_is_named(text: str) -> None:
    """The error shows the text and how to write a time."""
    with pytest.raises(ValueError, match=f"'{text}' is not a time: write it as 2024-07-18"):
        parse_ns(text)


def test_times_that_nanoseconds_cannot_hold_raise() -> None:
    """The year 2500 is past the end of 64-bit nanoseconds."""
    with pytest.raises(ValueError, match="'2500-01-01' is no time that 64-bit nanoseconds hold"):
        parse_ns("2500-01-01")


def test_formatted_to_the_microsecond() -> None:
    """Digits below a microsecond are cut, not rounded up."""
    assert format_ns(NOON + 281_597_999) == "2024-07-18 12:00:00.281597"
    assert format_ns(0) == "1970-01-01 00:00:00.000000"


@given(st.integers(0, np.iinfo(np.int64).max // 1000))
def test_reading_back_what_was_written(us: int) -> None:
    """Whole microseconds survive both ways."""
    assert parse_ns(format_ns(us * 1000)) == us * 1000
