import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.book_heatmap import BookHeatmap, book_heatmap_dtype, reset_book_heatmap

SECOND = 1_000_000_000
NAN = math.nan

# Buckets of 100 bps near 10 000: number 921 begins at exp(9.21) = 9996.6. First prices of 918 to 925:
FIRST_PRICES = {918: 9702, 919: 9799, 920: 9898, 921: 9997, 922: 10098, 923: 10199, 924: 10302, 925: 10405}


def heatmap(**changes):
    return BookHeatmap(**{"width_bps": 100.0, "buckets": 5, "half_life_seconds": 10.0, "slack": 1, **changes})


def test_hand_worked_buckets():
    """Sizes add up within a bucket; beyond the best price is 0; what the deepest level covers in part is unknown."""
    assert [math.ceil(math.exp(k / 100)) for k in FIRST_PRICES] == list(FIRST_PRICES.values())
    heat = heatmap()
    assert not heat.initialized
    assert all(np.isnan(column).all() for column in heat.row())
    # mid 10 050 is in 921; bids: 2 in 921, 3 + 4 in 920, and 919 begins at 9799, below the last bid
    # asks: 1 in 921, 5 in 922, whose last price is 10 198, so it is known whole; 923 is not
    assert heat.update(0, [10040, 9990, 9900, 9850], [2.0, 3.0, 4.0, 1.0], [10060, 10198], [1.0, 5.0])
    assert heat.initialized
    prices, bids, asks = heat.row()
    np.testing.assert_array_equal(bids, [NAN, 7.0, 2.0, 0.0, 0.0])
    np.testing.assert_array_equal(asks, [0.0, 0.0, 1.0, 5.0, NAN])
    np.testing.assert_allclose(prices, np.exp([9.195, 9.205, 9.215, 9.225, 9.235]), rtol=1e-12)
    np.testing.assert_array_equal(heat.value, [bids, asks])


def test_edges_of_a_bucket():
    """9997 is the first price of bucket 921, 9996 the last of 920, whose first price 9898 completes it."""
    heat = heatmap()
    heat.update(0, [9997, 9996, 9898], [1.0, 2.0, 4.0], [10097, 10098], [8.0, 16.0])
    _, bids, asks = heat.row()
    np.testing.assert_array_equal(bids, [NAN, 6.0, 1.0, 0.0, 0.0])
    np.testing.assert_array_equal(asks, [0.0, 0.0, 8.0, NAN, NAN])


def test_heat_halves_in_a_half_life():
    """8 that goes away is 4 after 10 s and 1 after 20 s more; what comes counts by 1 - 1/2 after 10 s: 6 makes 3."""
    heat = heatmap()
    heat.update(0, [10040, 9700], [8.0, 1.0], [10060, 10500], [1.0, 1.0])
    heat.update(10 * SECOND, [10040, 9990, 9700], [0.0, 6.0, 1.0], [10060, 10500], [1.0, 1.0])
    np.testing.assert_array_equal(heat.row()[1], [0.0, 3.0, 4.0, 0.0, 0.0])
    heat.update(30 * SECOND, [10040, 9700], [0.0, 1.0], [10060, 10500], [1.0, 1.0])
    np.testing.assert_array_equal(heat.row()[1], [0.0, 0.75, 1.0, 0.0, 0.0])


def test_long_resting_size_is_hotter_than_a_flash():
    """Size 10 that flashes for one of 60 seconds stays below 1, size 10 that rests for 60 seconds passes 9."""
    heat = heatmap()
    for second in range(61):
        flash = 10.0 if second == 60 else 0.0
        rests = 0.0 if second == 0 else 10.0
        heat.update(second * SECOND, [10040, 9990, 9700], [1.0, rests, 1.0], [10060, 10150, 10500], [1.0, flash, 1.0])
    _, bids, asks = heat.row()
    assert bids[1] == pytest.approx(10.0 * (1.0 - 2.0**-6.0))
    assert asks[3] == pytest.approx(10.0 * (1.0 - 2.0**-0.1))


def test_what_is_not_seen_keeps_its_heat_and_its_time():
    """A bucket out of the sampled depth stays as it is; seen again after 20 s it has lost 3/4 of what is gone."""
    heat = heatmap()
    heat.update(0, [10040, 9950, 9700], [1.0, 8.0, 1.0], [10060, 10500], [1.0, 1.0])
    heat.update(10 * SECOND, [10040, 9997], [1.0, 0.0], [10060, 10500], [1.0, 1.0])
    assert heat.row()[1][1] == 8.0
    heat.update(20 * SECOND, [10040, 9700], [1.0, 1.0], [10060, 10500], [1.0, 1.0])
    assert heat.row()[1][1] == 2.0


def test_liquidity_that_was_traded_through_cools():
    """An ask bucket below the new best ask is known to be empty: its heat halves in a half-life."""
    heat = heatmap()
    heat.update(0, [10040, 9700], [1.0, 1.0], [10060, 10150, 10500], [1.0, 8.0, 1.0])
    assert heat.row()[2][3] == 8.0
    heat.update(10 * SECOND, [10195, 9700], [1.0, 1.0], [10200, 10500], [1.0, 1.0])
    assert heat.row()[2][3] == 4.0


def test_the_range_follows_the_mid():
    """Within the slack of 1 the range stays; 2 buckets on it is centred, and a bucket that comes back is unknown."""
    heat = heatmap()

    def sample(second, mid):
        heat.update(second * SECOND, [mid - 5, 9000], [1.0, 1.0], [mid + 5, 11500], [2.0, 1.0])
        numbers = 100.0 * np.log(heat.row()[0]) - 0.5
        return round(float(numbers[0]))

    assert sample(0, 10050) == 919  # bucket 921 in the middle
    assert sample(1, 10150) == 919  # 922: within the slack
    assert sample(2, 10250) == 921  # 923: centred
    known = heat.value
    assert not np.isnan(known).any()  # the book is deep, so what comes into range is seen at once
    heat.update(3 * SECOND, [10045, 10040], [1.0, 1.0], [10055, 10060], [2.0, 1.0])
    _, bids, asks = heat.row()  # back at 921, which is in the range's middle of 923 no more: 919 to 923 again
    np.testing.assert_array_equal(np.isnan(bids), [True, True, False, False, False])
    np.testing.assert_array_equal(np.isnan(asks), [False, False, False, False, False])
    assert bids[2] == known[0, 0]  # its deepest bid 10 040 covers 921 in part only, so it is as it was
    assert asks[4] == known[1, 2]


def test_a_jump_beyond_the_range_forgets_all():
    """After a jump of more than the range only what the new sample shows is known."""
    heat = heatmap()
    heat.update(0, [10040, 9000], [1.0, 1.0], [10060, 11500], [2.0, 1.0])
    heat.update(SECOND, [20000, 19999], [1.0, 1.0], [20010, 20020], [2.0, 1.0])
    _, bids, asks = heat.row()
    assert np.isnan(bids[:2]).all()
    assert np.isnan(asks[3:]).all()
    assert heat.row()[0][2] == pytest.approx(20005.0, rel=0.01)


@pytest.mark.parametrize(
    ("bids", "asks"), [([], [100]), ([100], []), ([100], [100]), ([101], [100]), ([0], [1]), ([-5], [3])]
)
def test_a_book_without_a_mid_is_refused(bids, asks):
    """An empty side, a crossed or locked book and prices that are not positive change nothing."""
    heat = heatmap()
    heat.update(0, [10040, 9000], [1.0, 1.0], [10060, 11500], [2.0, 1.0])
    before = heat.states.tobytes()
    assert not heat.update(
        SECOND, np.array(bids, dtype=int), [1.0] * len(bids), np.array(asks, dtype=int), [1.0] * len(asks)
    )
    assert heat.states.tobytes() == before


def test_time_that_stands_still_adds_nothing():
    """A second sample at the same time, or an earlier one, leaves the heat of known buckets alone."""
    heat = heatmap()
    heat.update(SECOND, [10040, 9000], [1.0, 1.0], [10060, 11500], [2.0, 1.0])
    before = heat.value
    for ts in (SECOND, 0):
        heat.update(ts, [10040, 9000], [5.0, 1.0], [10060, 11500], [7.0, 1.0])
        assert np.array_equal(heat.value, before)


def test_reset_forgets():
    """After a reset the heatmap is like a new one."""
    used, fresh = heatmap(), heatmap()
    used.update(0, [15040, 9000], [1.0, 1.0], [15060, 21500], [2.0, 1.0])
    reset_book_heatmap(used.states[0])
    assert not used.initialized
    for heat in (used, fresh):
        heat.update(SECOND, [10040, 9850], [3.0, 1.0], [10060, 11500], [2.0, 1.0])
    assert np.array_equal(used.value, fresh.value, equal_nan=True)


def test_old_heat_ends_at_zero():
    """After two thousand half-lives of nothing the heat is 0, not a subnormal number."""
    heat = heatmap()
    heat.update(0, [10040, 9950, 9000], [1.0, 8.0, 1.0], [10060, 11500], [2.0, 1.0])
    for k in range(1, 200):
        heat.update(k * 100 * SECOND, [10040, 9000], [1.0, 1.0], [10060, 11500], [2.0, 1.0])
    assert heat.row()[1][1] == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"buckets": 4}, "buckets is 4: give an odd number"),
        ({"buckets": 1}, "buckets is 1"),
        ({"slack": 2}, "slack is 2, but the range has 2 buckets"),
        ({"slack": -1}, "slack is -1"),
        ({"width_bps": 0.0}, "width_bps is 0.0"),
        ({"half_life_seconds": NAN}, "half_life_seconds is nan"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(change, message):
    """Each parameter is checked by name."""
    with pytest.raises(ValueError, match=message):
        heatmap(**change)


def test_books_that_make_no_sense_are_refused():
    """Order, signs, lengths and counts are checked where Python hands over a book; the bulk form names the row."""
    heat = heatmap()
    with pytest.raises(ValueError, match="levels out of order"):
        heat.update(0, [1, 2], [1.0, 1.0], [3, 4], [1.0, 1.0])
    with pytest.raises(ValueError, match="levels out of order"):
        heat.update(0, [2, 1], [1.0, 1.0], [3, 3], [1.0, 1.0])
    with pytest.raises(ValueError, match="sizes must be finite"):
        heat.update(0, [2], [-1.0], [3], [1.0])
    with pytest.raises(ValueError, match="columns differ in length"):
        heat.update(0, [2, 1], [1.0], [3], [1.0])
    with pytest.raises(ValueError, match="book 1: levels out of order"):
        heat.update_many([0, 1], [[2], [2]], [[1.0], [1.0]], [1, 1], [[3, 4], [3, 2]], np.ones((2, 2)), [1, 2])
    with pytest.raises(ValueError, match="bid counts from 2 to 2, but there are 1 levels"):
        heat.update_many([0], [[2]], [[1.0]], [2], [[3]], [[1.0]], [1])
    with pytest.raises(ValueError, match="ask prices, sizes and counts of shape"):
        heat.update_many([0], [[2]], [[1.0]], [1], [[3]], [[1.0, 2.0]], [1])
    with pytest.raises(ValueError, match="columns differ in length"):
        heat.update_many([0, 1], [[2]], [[1.0]], [1], [[3]], [[1.0]], [1])


SIZES = st.sampled_from([0.25, 1.0, 1.5, 7.0, 40.0])


@st.composite
def samples(draw):
    """A walk of books: (ts, bid prices, bid sizes, ask prices, ask sizes)."""
    mid, ts, books = draw(st.integers(8000, 12000)), 0, []
    for _ in range(draw(st.integers(1, 12))):
        ts += draw(st.integers(0, 40)) * SECOND // 4
        mid += draw(st.integers(-180, 180))
        gaps = st.lists(st.integers(1, 130), min_size=1, max_size=8)
        down, up = np.cumsum(draw(gaps)), np.cumsum(draw(gaps))
        sizes = [draw(st.lists(SIZES, min_size=len(side), max_size=len(side))) for side in (down, up)]
        books.append((ts, mid + 1 - down, np.array(sizes[0]), mid + up, np.array(sizes[1])))
    return books


def table(books):
    """The columns of `update_many` for a list of books."""
    levels = max(max(len(book[1]), len(book[3])) for book in books)
    prices, sizes = np.zeros((2, len(books), levels), dtype=int), np.zeros((2, len(books), levels))
    counts = np.zeros((2, len(books)), dtype=int)
    for n, (_, *sides) in enumerate(books):
        for side in range(2):
            count = counts[side, n] = len(sides[2 * side])
            prices[side, n, :count], sizes[side, n, :count] = sides[2 * side], sides[2 * side + 1]
    return np.array([b[0] for b in books]), prices[0], sizes[0], counts[0], prices[1], sizes[1], counts[1]


def first_price(number, width=0.01):
    return math.ceil(math.exp(number * width))


def brute_force(books, half_life, buckets, slack):
    """The definition, bucket by bucket with a dictionary a side; returns the range's first bucket and the heat."""
    heat, middle = ({}, {}), None
    for ts, *sides in books:
        number = math.floor(math.log((sides[0][0] + sides[2][0]) / 2) / 0.01)
        if middle is None or abs(number - middle) > slack:
            middle = number
        first = middle - buckets // 2
        for side, known in enumerate(heat):
            for bucket in [b for b in known if not first <= b < first + buckets]:
                del known[bucket]
            prices, sizes = sides[2 * side], sides[2 * side + 1]
            for bucket in range(first, first + buckets):
                low, high = first_price(bucket), first_price(bucket + 1) - 1
                if (low < prices[-1]) if side == 0 else (high > prices[-1]):
                    continue
                size = sum(sizes[(low <= prices) & (prices <= high)])
                old, seen = known.get(bucket, (size, ts))
                known[bucket] = (size + (old - size) * 0.5 ** ((ts - seen) / SECOND / half_life), ts)
    return first, [[known.get(first + k, (NAN,))[0] for k in range(buckets)] for known in heat]


@settings(deadline=None, max_examples=60)
@given(samples(), st.integers(0, 2))
def test_against_brute_force(books, slack):
    """Any walk of books gives what the definition gives, bucket by bucket."""
    heat = heatmap(buckets=7, slack=slack)
    for book in books:
        assert heat.update(*book)
    first, expected = brute_force(books, 10.0, 7, slack)
    assert heat.states["first"][0] == first
    np.testing.assert_allclose(heat.value, expected, rtol=1e-12, atol=1e-300)


@settings(deadline=None, max_examples=60)
@given(samples(), st.data())
def test_per_event_equals_bulk(books, data):
    """Books one by one, in bulk, and in bulk cut in two give the same bits; the future changes nothing."""
    one_by_one, bulk, halves = heatmap(), heatmap(), heatmap()
    expected = []
    for book in books:
        one_by_one.update(*book)
        expected.append(one_by_one.value)
    columns = table(books)
    firsts, heats = bulk.update_many(*columns)
    assert heats.tobytes() == np.array(expected).tobytes()
    cut = data.draw(st.integers(0, len(books)))
    parts = [halves.update_many(*(column[part] for column in columns)) for part in (slice(0, cut), slice(cut, None))]
    assert np.concatenate([part[1] for part in parts]).tobytes() == heats.tobytes()
    assert np.concatenate([part[0] for part in parts]).tobytes() == firsts.tobytes()


@settings(deadline=None, max_examples=40)
@given(samples(), st.integers(-30, 30))
def test_scaled_sizes_scale_the_heat(books, power):
    """Sizes times a power of two give heat times that power, to the bit."""
    plain, scaled = heatmap(), heatmap()
    for ts, bid_prices, bid_sizes, ask_prices, ask_sizes in books:
        plain.update(ts, bid_prices, bid_sizes, ask_prices, ask_sizes)
        scaled.update(ts, bid_prices, bid_sizes * 2.0**power, ask_prices, ask_sizes * 2.0**power)
    np.testing.assert_array_equal(scaled.value, plain.value * 2.0**power)


PRODUCT = 720720**2
EXPONENTS = product(range(9), range(5), range(3), range(3), range(3), range(3))
DIVISORS = sorted(math.prod(p**n for p, n in zip((2, 3, 5, 7, 11, 13), powers, strict=True)) for powers in EXPONENTS)
DIVISORS = [d for d in DIVISORS if 2520 < d < PRODUCT // 2520]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_mirrored_book_mirrors_the_heat(data):
    """Prices that are mirrored in log price (d becomes 720720^2 / d) with sides swapped give the very same heat.

    31 buckets cover 1 to 720720^2, so bucket k becomes bucket 30 - k, and of all divisors only 1 and the square lie on
    an edge. Prices are whole, so cheap ones, of which a bucket holds few, have no exact mirror image: left out.
    """
    width = math.log(PRODUCT) / 31 * 1e4
    plain, mirrored = (BookHeatmap(width, 101, 10.0, 10) for _ in range(2))
    for n in range(data.draw(st.integers(1, 5))):
        split = data.draw(st.integers(len(DIVISORS) // 3, 2 * len(DIVISORS) // 3))
        below = data.draw(st.lists(st.sampled_from(DIVISORS[:split]), min_size=1, max_size=20, unique=True))
        above = data.draw(st.lists(st.sampled_from(DIVISORS[split:]), min_size=1, max_size=20, unique=True))
        bids, asks = np.array(sorted(below, reverse=True)), np.array(sorted(above))
        bid_sizes, ask_sizes = (
            np.array(data.draw(st.lists(SIZES, min_size=len(p), max_size=len(p)))) for p in (bids, asks)
        )
        ts = n * n * SECOND
        plain.update(ts, bids, bid_sizes, asks, ask_sizes)
        mirrored.update(ts, PRODUCT // asks, ask_sizes, PRODUCT // bids, bid_sizes)
    rows = []
    for heat in (plain, mirrored):
        start = -int(heat.states["first"][0])
        rows.append(heat.value[:, start : start + 31])
    assert rows[0].shape == rows[1].shape == (2, 31)
    assert np.array_equal(rows[0], rows[1][::-1, ::-1], equal_nan=True)


def test_each_size_of_range_has_its_layout():
    """The state's arrays are as long as the range."""
    assert book_heatmap_dtype(9)["heat"].shape == (2, 9)
