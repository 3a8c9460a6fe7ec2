"""Books over a block: exact, uncrossed, as deep as they should be, and walls in them that hold, break and flee."""

from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest

from catalog.market_book import BookBlock, VenueBook
from catalog.market_flow import FlowBlock
from catalog.market_levels import (
    ACTION,
    FLAGS,
    MAX_LEVELS,
    PRICE,
    SEQUENCE,
    SIDE,
    SIZE,
    SWEEPING_BUYER,
    TAKER,
    TIME,
    TRADE_PRICE,
    TRADE_SIZE,
    TRADE_TIME,
)
from catalog.market_makers import MIN_LEVELS, BookShape, book_shape
from catalog.market_price import BLOCK_NS, STEP_NS, STEPS, Floats, Ints
from catalog.market_reports import PREMIUM_NS
from catalog.market_takers import EVENT_GAP_NS, MAX_WALK
from catalog.market_walls import WallPlan
from catalog.tables import ADD, ASK, BID, DELETE, F_LAST, F_SNAPSHOT, UPDATE
from indicators.ladder import Ladder

PRICE_NOW, TICK = 93_000.0, 0.1
BP = PRICE_NOW / 1e4 / TICK
START = 10 * BLOCK_NS
SHAPE = book_shape(PRICE_NOW, TICK, spread_bps=0.2, depth_10bps=21_505.0)


def walk(seed: int, minute_sd_bps: float = 6.5) -> Floats:
    """A fair price in ticks on the grid."""
    steps = np.random.default_rng(seed).standard_normal(STEPS) * minute_sd_bps / 1e4 * np.sqrt(STEP_NS / 60e9)
    return PRICE_NOW / TICK * np.exp(np.cumsum(steps))


def takers(seed: int, start_ns: int, per_second: float = 25.0, median: float = 5.4) -> FlowBlock:
    rng = np.random.default_rng(seed)
    count = rng.poisson(per_second * BLOCK_NS / 1e9)
    return FlowBlock(
        times=np.sort(rng.integers(start_ns, start_ns + BLOCK_NS, count)),
        sides=rng.choice([-1, 1], count),
        sizes=np.maximum(1, np.rint(median * np.exp(1.9 * rng.standard_normal(count)))).astype(np.int64),
        opening=np.zeros(count),
    )


def walls(*rows: tuple[int, int, int, int, int, float]) -> WallPlan:
    """Walls as start, end (ns), side, price (ticks), size (steps), bps to flee from; 0 of these for real ones."""
    start, end, side, ticks, size, flee = (np.array(column) for column in zip(*rows, strict=True))
    return WallPlan(np.arange(start.size), start, end, side, ticks, size, flee == 0.0, flee.astype(np.float64))


class Run(NamedTuple):
    mids: list[Floats]
    flows: list[FlowBlock]
    blocks: list[BookBlock]

    @property
    def rows(self) -> Ints:
        return np.concatenate([block.rows for block in self.blocks])

    @property
    def trades(self) -> Ints:
        return np.concatenate([block.trades for block in self.blocks])


def random_walls(seed: int, mids: Floats, start_ns: int) -> WallPlan:
    """Six a block around the price of their start, some of them in the way of it, real and spoofed."""
    rng = np.random.default_rng(seed)
    plan = []
    for start in np.sort(rng.integers(0, STEPS, 6)):
        side = int(rng.integers(0, 2))
        ticks = round(mids[start] + (2 * side - 1) * rng.uniform(-2.0, 25.0) * BP)
        lives = int(rng.integers(1, 400)) * 1_000_000_000
        begin = start_ns + int(start) * STEP_NS
        plan.append((begin, begin + lives, side, ticks, int(rng.integers(1, 30_000)), float(rng.choice([0.0, 3.0]))))
    return walls(*plan)


@cache
def run(seed: int, blocks: int = 2, minute_sd_bps: float = 6.5) -> Run:
    """Blocks of a book on a random walk with random walls; the second block repeats the walls of the first."""
    book, out = VenueBook(SHAPE, frames_per_second=2.5), Run([], [], [])
    mids = walk(seed, minute_sd_bps)
    for index in range(blocks):
        start = START + index * BLOCK_NS
        plan = random_walls(seed + index, mids, start)
        flow = takers(seed + index, start)
        snapshots = np.array([start] if index == 0 else [start + BLOCK_NS // 2])
        rng = np.random.default_rng([seed, index])
        out.blocks.append(book.block(rng, mids, flow, start, snapshots, plan))
        out.mids.append(mids)
        out.flows.append(flow)
        mids = mids[::-1].copy()  # it goes on where it was
    return out


def frame_ends(rows: Ints) -> Ints:
    return np.flatnonzero(rows[:, FLAGS] & F_LAST)


def apply(ladder: Ladder, rows: Ints) -> None:
    """Take whole frames; none may leave the book crossed."""
    actions, sides, prices, sizes, flags = (rows[:, c] for c in (ACTION, SIDE, PRICE, SIZE, FLAGS))
    assert ladder.apply_rows(actions, sides, prices, sizes, flags) == -1


@pytest.mark.parametrize(("seed", "minute_sd_bps"), [(1, 6.5), (2, 6.5), (3, 60.0), (4, 600.0)])
def test_frames_are_sound_in_any_weather(seed: int, minute_sd_bps: float) -> None:
    """Never crossed, sizes positive, times strictly in order, sequences without gap, a level named once a frame."""
    out = run(seed, minute_sd_bps=minute_sd_bps)
    rows, trades = out.rows, out.trades
    ends = frame_ends(rows)
    apply(Ladder(), rows)
    assert (rows[np.isin(rows[:, ACTION], (ADD, UPDATE)), SIZE] > 0).all()
    assert (trades[:, TRADE_SIZE] > 0).all()
    times = np.concatenate((rows[ends, TIME], trades[:, TRADE_TIME]))
    assert np.diff(np.sort(times)).min() >= EVENT_GAP_NS
    assert (np.diff(rows[:, TIME]) >= 0).all()
    assert (np.diff(trades[:, TRADE_TIME]) > 0).all()
    assert (np.diff(rows[ends, SEQUENCE]) == 1).all()
    assert np.unique(rows[:, [SEQUENCE, SIDE, PRICE]], axis=0).shape[0] == rows.shape[0]


@pytest.mark.parametrize("seed", [1, 3])
def test_frames_change_only_what_is_there_and_trades_eat_only_what_is_shown(seed: int) -> None:
    """Adds are new, updates and deletes known; a print is at the best price with something left, and at most that."""
    out = run(seed, blocks=1)
    book: dict[int, dict[int, int]] = {BID: {}, ASK: {}}
    events = [(int(row[TIME]), row) for row in out.rows] + [(int(t[TRADE_TIME]), t) for t in out.trades]
    eaten: dict[int, int] = {}  # since the last frame
    walked = 0
    for _, event in sorted(events, key=lambda item: item[0]):
        if event.size != out.rows.shape[1]:
            buys = event[TAKER] == SWEEPING_BUYER or (event[TAKER] >= 0 and out.flows[0].sides[event[TAKER]] > 0)
            levels = book[ASK if buys else BID]
            left = [price for price, size in levels.items() if size > eaten.get(price, 0)]
            touch = min(left) if buys else max(left)
            assert event[TRADE_PRICE] == touch
            walked += len(left) < len(levels)
            eaten[touch] = eaten.get(touch, 0) + int(event[TRADE_SIZE])
            assert eaten[touch] <= levels[touch]
            continue
        if event[SIDE] == 0:
            book = {BID: {}, ASK: {}}
            continue
        levels = book[event[SIDE]]
        assert (event[PRICE] in levels) == (event[ACTION] != ADD)
        if event[ACTION] == DELETE:
            del levels[event[PRICE]]
        else:
            levels[int(event[PRICE])] = int(event[SIZE])
        if event[FLAGS] & F_LAST:
            eaten = {}
            assert all(MIN_LEVELS <= len(side) <= MAX_LEVELS + 16 or side == levels for side in book.values())
    assert walked > 10


def test_every_taker_trades_what_was_wished_or_walked_to_the_end() -> None:
    """Prints of a taker are consecutive and sum to at most the wish; less only after MAX_WALK levels."""
    out = run(1)
    for flow, block in zip(out.flows, out.blocks, strict=True):
        own = block.trades[block.trades[:, TAKER] >= 0]
        assert np.unique(own[:, TAKER]).tolist() == list(range(flow.times.size))
        assert (np.diff(own[:, TAKER]) >= 0).all()
        got = np.bincount(own[:, TAKER], weights=own[:, TRADE_SIZE])
        prints = np.bincount(own[:, TAKER])
        assert ((got == flow.sizes) | (prints == MAX_WALK)).all()
        assert (got <= flow.sizes).all()
        assert prints.max() > 1


def test_levels_that_takers_emptied_are_deleted_at_once() -> None:
    """A frame a microsecond after the last print of the walk deletes each level that it emptied."""
    out = run(1, blocks=1)
    rows, trades = out.rows, out.trades
    deleted = {(int(r[TIME]), int(r[PRICE])) for r in rows[rows[:, ACTION] == DELETE]}
    last_of = {int(t[TAKER]): int(t[TRADE_TIME]) for t in trades}
    walks = [t for t, following in pairwise(trades) if t[TAKER] == following[TAKER]]
    assert len(walks) > 10
    for trade in walks:  # it went on to the next level, so it emptied this one
        assert (last_of[int(trade[TAKER])] + EVENT_GAP_NS, int(trade[TRADE_PRICE])) in deleted


def test_the_same_stream_gives_the_same_rows() -> None:
    """And another one does not."""
    mids, flow = walk(5), takers(5, START)
    none = np.empty(0, np.int64)
    first, second, other = (
        VenueBook(SHAPE, 2.5).block(np.random.default_rng(seed), mids, flow, START, none) for seed in (7, 7, 8)
    )
    assert np.array_equal(first.rows, second.rows)
    assert np.array_equal(first.trades, second.trades)
    assert np.array_equal(first.impact, second.impact)
    assert not np.array_equal(first.rows[:100], other.rows[:100])


def test_a_plan_without_walls_changes_nothing() -> None:
    """None and an empty plan are one."""
    mids, flow, none = walk(5), takers(5, START), np.empty(0, np.int64)
    empty = WallPlan(none, none, none, none, none, none, np.empty(0, np.bool_), np.empty(0))
    first, second = (
        VenueBook(SHAPE, 2.5).block(np.random.default_rng(7), mids, flow, START, none, plan) for plan in (None, empty)
    )
    assert np.array_equal(first.rows, second.rows)


def test_snapshots_hold_the_whole_book() -> None:
    """A ladder that starts at the second snapshot ends with the same levels as one that saw everything."""
    rows = run(2).rows
    snapshots = np.flatnonzero((rows[:, FLAGS] & F_SNAPSHOT) > 0)
    second = snapshots[snapshots > frame_ends(rows)[0]][0]
    whole, late = Ladder(), Ladder()
    apply(whole, rows)
    apply(late, rows[second:])
    for side in (BID, ASK):
        assert [column.tolist() for column in whole.levels(side)] == [column.tolist() for column in late.levels(side)]


def depths(rows: Ints, bps: Floats) -> tuple[Floats, Floats, Floats]:
    """Of every 20th frame: mean depth of a side within each distance, levels of a side, and spread in bps."""
    ladder, ends = Ladder(), frame_ends(rows)
    depth, levels, spreads = [], [], []
    for begin, end in zip(np.concatenate(([0], ends[19:-20:20] + 1)), ends[19::20] + 1, strict=False):
        apply(ladder, rows[begin:end])
        bid, ask = ladder.best()
        assert bid is not None
        assert ask is not None
        mid = 0.5 * (bid + ask)
        spreads.append((ask - bid) / BP)
        for side in (BID, ASK):
            keys, sizes = ladder.levels(side)
            depth.append([sizes[np.abs(keys - mid) <= near * BP].sum() for near in bps])
            levels.append(keys.size)
    return np.mean(depth, axis=0), np.array(levels), np.array(spreads)


def test_depth_grows_with_distance_to_the_power_two_thirds() -> None:
    """Over seeds the exponent between 1 and 40 bps is 0.67, within 10 bps rests what was asked for, and it is deep."""
    bps = np.array([1.0, 2.0, 4.0, 8.0, 10.0, 16.0, 32.0, 40.0])
    slopes, within, spreads = [], [], []
    for seed in range(10, 16):
        block = VenueBook(SHAPE, 2.5).block(
            np.random.default_rng(seed), walk(seed), takers(seed, START), START, np.array([START])
        )
        mean, levels, spread = depths(block.rows, bps)
        slopes.append(np.polyfit(np.log(bps), np.log(mean), 1)[0])
        within.append(mean[4] / 21_505.0)
        spreads.append(np.median(spread))
        assert 80 < levels.mean() < MAX_LEVELS
    assert np.mean(slopes) == pytest.approx(0.67, abs=0.04)
    assert np.mean(within) == pytest.approx(1.0, abs=0.15)
    assert 0.15 < np.mean(spreads) < 0.35


def test_most_size_leaves_by_cancellation_and_many_levels_live_for_a_moment() -> None:
    """More size is taken back than traded, a fifth of levels is gone within a second, and a tenth rests for minutes."""
    block = VenueBook(SHAPE, 2.5).block(
        np.random.default_rng(1), walk(1), takers(1, START), START, np.empty(0, np.int64)
    )
    born: dict[tuple[int, int], int] = {}
    resting: dict[tuple[int, int], int] = {}
    lives, left_book = [], 0
    for row in block.rows:
        level = (int(row[SIDE]), int(row[PRICE]))
        if row[ACTION] == ADD:
            born[level] = int(row[TIME])
        left_book += max(0, resting.get(level, 0) - int(row[SIZE]))
        resting[level] = int(row[SIZE])
        if row[ACTION] == DELETE and level in born:
            lives.append((row[TIME] - born.pop(level)) / 1e9)
    traded = block.trades[:, TRADE_SIZE].sum()
    assert left_book - traded > 5 * traded
    assert np.mean(np.array(lives) < 1.0) > 0.2
    assert np.mean(np.array(lives) > 60.0) > 0.05


def test_thinner_and_dearer_is_what_the_shape_says() -> None:
    """With a third of the depth and twice the spread asked for, the book has a third and twice."""
    usual, thin = (
        depths(
            VenueBook(book_shape(PRICE_NOW, TICK, spread, depth), 2.5)
            .block(np.random.default_rng(3), walk(3), takers(3, START, 2.0), START, np.empty(0, np.int64))
            .rows,
            np.array([10.0]),
        )
        for spread, depth in ((0.2, 30_000.0), (0.4, 10_000.0))
    )
    assert thin[0][0] / usual[0][0] == pytest.approx(1 / 3, abs=0.05)
    assert 1.4 < np.mean(thin[2]) / np.mean(usual[2]) < 2.2


def best(rows: Ints, times: Ints) -> Ints:
    """Best bid and ask at each of `times`, (n, 2)."""
    ladder, ends, begin, out = Ladder(), frame_ends(rows), 0, []
    for time in times:
        seen = np.searchsorted(rows[ends, TIME], time, side="right")
        stop = ends[seen - 1] + 1 if seen else 0
        apply(ladder, rows[begin:stop])
        begin = stop
        out.append(ladder.best())
    return np.array(out)


COARSE = BookShape(half_spread=2.0, spacing=1.0, reach=60.0, depth=1000.0, impact=100.0)
NONE = np.empty(0, np.int64)


def flat(ticks: float = 10_000.5) -> Floats:
    return np.full(STEPS, ticks)


def test_a_real_wall_holds_the_book_until_the_price_is_far_beyond() -> None:
    """The fair price runs 20 ticks past an ask wall, back, and 60 past it: the first does not move the best ask."""
    second = 1_000_000_000
    mids = flat()
    mids[2 * STEPS // 10 : 3 * STEPS // 10] = 10_040.5
    mids[5 * STEPS // 10 :] = 10_080.5
    plan = walls((START, START + BLOCK_NS, 1, 10_020, 10**6, 0.0))
    flow = takers(1, START, median=0.1)
    block = VenueBook(COARSE, 5.0).block(np.random.default_rng(1), mids, flow, START, np.array([START]), plan)
    early, held, broken = (
        best(block.rows, START + np.arange(a, b, second)) for a, b in
        ((10 * second, 118 * second), (122 * second, 178 * second), (310 * second, 590 * second))
    )  # fmt: skip
    assert (early[:, 1] < 10_010).all()
    assert ((held[:, 1] >= 10_019) & (held[:, 1] <= 10_020)).all()  # another ask may queue in front
    assert (broken[:, 0] > 10_020).all()
    swept = block.trades[block.trades[:, TAKER] == SWEEPING_BUYER]
    assert (swept[-1, TRADE_PRICE], swept[-1, TRADE_SIZE] > 900_000) == (10_020, True)
    assert 0 < swept[-1, TRADE_TIME] - (START + BLOCK_NS // 2) < 2 * second


def test_a_wall_is_swept_when_it_ends_with_the_price_at_it() -> None:
    """Within microseconds of its end the wall's whole size prints, and a frame tells that it is gone."""
    mids = flat()
    end = START + 1000 * STEP_NS
    mids[1000:] = 10_020.5
    plan = walls((START, end, 1, 10_020, 5_000, 0.0))
    block = VenueBook(COARSE, 1.0).block(np.random.default_rng(1), mids, FlowBlock(NONE, NONE, NONE), START, NONE, plan)
    assert set(block.trades[:, TAKER]) == {SWEEPING_BUYER}
    assert block.trades[-1, [TRADE_PRICE, TRADE_SIZE]].tolist() == [10_020, 5_000]
    gone = block.rows[(block.rows[:, PRICE] == 10_020) & (block.rows[:, ACTION] == DELETE)]
    assert end <= block.trades[0, TRADE_TIME] < gone[0, TIME] < end + 50 * EVENT_GAP_NS


def test_a_wall_that_only_ends_is_taken_back() -> None:
    """Far from the price it leaves in the frame of its end, without a trade."""
    end = START + 1000 * STEP_NS
    plan = walls((START + 7, end, 0, 9_970, 5_000, 0.0))
    block = VenueBook(COARSE, 1.0).block(
        np.random.default_rng(1), flat(), FlowBlock(NONE, NONE, NONE), START, NONE, plan
    )
    mine = block.rows[(block.rows[:, PRICE] == 9_970) & (block.rows[:, TIME] >= START + 7)]
    assert mine[0, [TIME, SIZE]].tolist() == [START + 7, 5_000]
    assert mine[1, [TIME, ACTION]].tolist() == [end, DELETE]
    assert block.trades.size == 0


@pytest.mark.parametrize("seed", range(3))
def test_a_spoof_is_gone_before_the_price_is_there(seed: int) -> None:
    """A spoof 12 bps away that flees at 5 leaves with the first step that is nearer, and nobody ever trades with it."""
    mids = walk(seed)
    ticks = round(mids[10] + 12.0 * BP)
    near = np.flatnonzero(ticks - mids < 5e-4 * mids)
    end = START + BLOCK_NS
    gone_at = START + int(near[0]) * STEP_NS if near.size else end
    plan = walls((START + 10 * STEP_NS, end, 1, ticks, 50_000, 5.0))
    block = VenueBook(SHAPE, 2.5).block(
        np.random.default_rng(seed), mids, takers(seed, START), START, np.array([START]), plan
    )
    mine = block.rows[(block.rows[:, PRICE] == ticks) & (block.rows[:, TIME] >= plan.start_ns[0])]
    assert mine[0, [TIME, SIZE]].tolist() == [plan.start_ns[0], 50_000]
    while_up = mine[mine[:, TIME] < gone_at]
    assert (while_up[:, SIZE] > 40_000).all()
    if near.size:
        left = mine[mine[:, TIME] >= gone_at][0]
        assert left[ACTION] == DELETE
        assert left[TIME] - gone_at < 50 * EVENT_GAP_NS
    assert not (block.trades[(block.trades[:, TRADE_TIME] < gone_at), TRADE_PRICE] == ticks).any()


def test_a_wall_goes_on_in_the_next_block() -> None:
    """Repeated in the next plan it is not raised again, takes over the earlier end, and once eaten stays away."""
    book = VenueBook(COARSE, 1.0)
    nobody = FlowBlock(NONE, NONE, NONE)
    first = walls((START + 7, START + 3 * BLOCK_NS, 1, 10_030, 5_000, 0.0))
    end = START + BLOCK_NS + BLOCK_NS // 4
    second = walls((START + 7, end, 1, 10_030, 5_000, 0.0))
    blocks = [
        book.block(np.random.default_rng(i), flat(), nobody, START + i * BLOCK_NS, NONE, plan)
        for i, plan in enumerate((first, second, second))
    ]
    rows = np.concatenate([block.rows for block in blocks])
    mine = rows[(rows[:, PRICE] == 10_030) & (rows[:, TIME] >= START + 7)]
    assert mine[:2, [TIME, SIZE]].tolist() == [[START + 7, 5_000], [end, 0]]
    assert (mine[2:, SIZE] < 4_000).all()


def test_impact_prices_enclose_the_fair_price() -> None:
    """Every five seconds, a bid below and an ask above, a fraction of a basis point apart."""
    mids = walk(1)
    block = VenueBook(SHAPE, 2.5).block(np.random.default_rng(1), mids, takers(1, START), START, NONE)
    assert block.impact.shape == (BLOCK_NS // PREMIUM_NS, 2)
    gap = (block.impact[:, 1] - block.impact[:, 0]) / BP
    assert (gap > 0.0).all()
    assert gap.mean() < 1.0
    fair = mids[:: PREMIUM_NS // STEP_NS]
    assert np.abs(block.impact.mean(axis=1) - fair).mean() / BP < 1.0
