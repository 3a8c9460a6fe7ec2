import gzip
import json
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.ladder import ADD, CLEAR, DELETE, F_LAST, UPDATE, Ladder
from indicators.sides import ASK, BID, NO_SIDE

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "binance_raw_ws"


def test_hand_worked():
    """Bids 9, 10 and asks 12, 13: best, order, depth, update, deletion and clearing."""
    ladder = Ladder(capacity=1)
    assert ladder.best() == (None, None)
    for side, key, size in ((BID, 9, 1.0), (BID, 10, 2.0), (ASK, 13, 3.0), (ASK, 12, 4.0)):
        ladder.apply(side, ADD, key, size)
    assert ladder.best() == (10, 12)
    assert [column.tolist() for column in ladder.levels(BID)] == [[10, 9], [2.0, 1.0]]
    assert [column.tolist() for column in ladder.levels(ASK)] == [[12, 13], [4.0, 3.0]]
    assert [column.tolist() for column in ladder.levels(ASK, 1)] == [[12], [4.0]]
    assert (ladder.depth_within(BID, 10), ladder.depth_within(BID, 9)) == (2.0, 3.0)
    assert (ladder.depth_within(ASK, 11), ladder.depth_within(ASK, 13)) == (0.0, 7.0)
    ladder.apply(BID, UPDATE, 10, 0.0)
    ladder.apply(ASK, DELETE, 99, 0.0)
    assert ladder.best() == (9, 12)
    ladder.apply(ASK, CLEAR, 0, 0.0)
    assert (ladder.count(BID), ladder.count(ASK)) == (1, 0)
    ladder.apply(NO_SIDE, CLEAR, 0, 0.0)
    assert ladder.best() == (None, None)


def test_crossed_is_judged_at_the_end_of_a_frame():
    """A book may cross inside a frame; the first frame that ends crossed or locked stops the run, and it can go on."""
    ladder = Ladder()
    rows = [
        (ADD, BID, 10, 1.0, 0),
        (ADD, ASK, 12, 1.0, F_LAST),
        (ADD, BID, 13, 1.0, 0),
        (DELETE, BID, 13, 0.0, F_LAST),
        (ADD, BID, 12, 1.0, F_LAST),
        (DELETE, BID, 12, 0.0, F_LAST),
    ]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    assert ladder.apply_rows(*columns) == 4
    assert ladder.crossed
    assert ladder.apply_rows(*columns, start=5) == -1
    assert not ladder.crossed
    assert ladder.best() == (10, 12)


def test_impossible_rows_are_refused():
    """A row that is no book row raises with its number and its values; rows before it are applied."""
    ladder = Ladder()
    for row in ((3, ADD, 1, 1.0), (NO_SIDE, ADD, 1, 1.0), (BID, 5, 1, 1.0), (BID, ADD, 1, -1.0), (BID, ADD, 1, np.nan)):
        with pytest.raises(ValueError, match=rf"side {row[0]}, action {row[1]}, key 1, size .* is no book row"):
            ladder.apply(*row)
    with pytest.raises(ValueError, match="row 1: side 1, action 1, key 8, size nan"):
        ladder.apply_rows([ADD, ADD], [BID, BID], [7, 8], [1.0, np.nan], [0, F_LAST])
    assert ladder.best() == (7, None)
    with pytest.raises(ValueError, match="side is 0: give 1 for bids or 2 for asks"):
        ladder.levels(NO_SIDE)


class Model:
    """The obvious book: a dictionary a side."""

    def __init__(self):
        self.sides = {BID: {}, ASK: {}}

    def apply(self, side, action, key, size):
        if action == CLEAR:
            for cleared in (BID, ASK) if side == NO_SIDE else (side,):
                self.sides[cleared].clear()
        elif action == DELETE or size == 0.0:
            self.sides[side].pop(key, None)
        else:
            self.sides[side][key] = size

    def levels(self, side):
        return sorted(self.sides[side].items(), reverse=side == BID)

    @property
    def crossed(self):
        return bool(self.sides[BID] and self.sides[ASK]) and max(self.sides[BID]) >= min(self.sides[ASK])


ROW = st.tuples(
    st.sampled_from([BID, ASK]),
    st.sampled_from([ADD, ADD, UPDATE, UPDATE, DELETE]),
    st.integers(1, 60),
    st.sampled_from([0.0, 0.1, 0.7, 2.5]),
) | st.tuples(st.sampled_from([NO_SIDE, BID, ASK]), st.just(CLEAR), st.just(0), st.just(0.0))


@settings(deadline=None, max_examples=100)
@given(st.lists(ROW, max_size=120), st.integers(1, 60))
def test_equals_a_dictionary_after_every_row(rows, limit):
    """Levels, best prices and depth equal those of a plain dictionary after every row, growing from room for 1."""
    ladder, model = Ladder(capacity=1), Model()
    for row in rows:
        ladder.apply(*row)
        model.apply(*row)
        for side in (BID, ASK):
            levels = model.levels(side)
            keys, sizes = ladder.levels(side)
            assert list(zip(keys.tolist(), sizes.tolist(), strict=True)) == levels
            assert ladder.best()[side - BID] == (levels[0][0] if levels else None)
            inside = [size for key, size in levels if (key >= limit if side == BID else key <= limit)]
            # one after the other: Python's own sum compensates for rounding
            assert ladder.depth_within(side, limit) == reduce(add, inside, 0.0)
        assert ladder.crossed == model.crossed


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(ROW, st.sampled_from([0, 32, F_LAST, F_LAST | 32])), max_size=80))
def test_bulk_finds_every_crossed_frame(rows):
    """The bulk run stops at the frames at which the dictionary is crossed, and ends with the same levels."""
    model, expected = Model(), []
    for k, (row, flags) in enumerate(rows):
        model.apply(*row)
        if flags & F_LAST and model.crossed:
            expected.append(k)
    sides, actions, keys = ([row[k] for row, _ in rows] for k in range(3))
    sizes, flags = [row[3] for row, _ in rows], [flag for _, flag in rows]
    ladder, found = Ladder(capacity=1), []
    row = ladder.apply_rows(actions, sides, keys, sizes, flags)
    while row >= 0:
        found.append(row)
        row = ladder.apply_rows(actions, sides, keys, sizes, flags, start=row + 1)
    assert found == expected
    for side in (BID, ASK):
        keys_left, sizes_left = ladder.levels(side)
        assert list(zip(keys_left.tolist(), sizes_left.tolist(), strict=True)) == model.levels(side)


@settings(deadline=None, max_examples=50)
@given(st.lists(ROW, max_size=80))
def test_mirrored_book_is_a_mirror(rows):
    """Swapping sides and reflecting prices gives the reflected book."""
    book, mirror = Ladder(), Ladder()
    swapped = {NO_SIDE: NO_SIDE, BID: ASK, ASK: BID}
    for side, action, key, size in rows:
        book.apply(side, action, key, size)
        mirror.apply(swapped[side], action, 100 - key, size)
    keys, sizes = book.levels(BID)
    mirrored_keys, mirrored_sizes = mirror.levels(ASK)
    assert keys.tolist() == (100 - mirrored_keys).tolist()
    assert sizes.tolist() == mirrored_sizes.tolist()


def ticks(price):
    """Tenths of a dollar, exactly, from a venue string such as 63943.90."""
    whole, _, decimals = price.partition(".")
    assert decimals[1:].strip("0") == ""
    return int(whole + (decimals[:1] or "0"))


def test_real_book_has_the_venues_own_best_prices():
    """A minute and more of recorded Binance futures data: best prices equal the book ticker at the same update id."""
    path = DATA / "usdm_btcusdt_20240718.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    ladder, tickers, seen, snapshot = Ladder(), {}, {}, None
    with gzip.open(path, "rt") as lines:
        for _, line in zip(range(40_000), lines, strict=False):
            message = json.loads(line.split(" ", 1)[1])
            event = message.get("data", message)
            if "lastUpdateId" in event:
                snapshot = event["lastUpdateId"]
                levels = [(BID, *level) for level in event["bids"]] + [(ASK, *level) for level in event["asks"]]
            elif event["e"] == "bookTicker":
                tickers[event["u"]] = (ticks(event["b"]), ticks(event["a"]))
                continue
            elif event["e"] == "depthUpdate" and snapshot is not None and event["u"] >= snapshot:
                levels = [(BID, *level) for level in event["b"]] + [(ASK, *level) for level in event["a"]]
            else:
                continue
            for side, price, size in levels:
                ladder.apply(side, UPDATE, ticks(price), float(size))
            assert not ladder.crossed
            seen[event.get("u", snapshot)] = ladder.best()
    both = tickers.keys() & seen.keys()
    assert len(both) > 100
    assert all(tickers[u] == seen[u] for u in both)
