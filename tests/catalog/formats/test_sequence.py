"""The venues' sequence rules."""

from hypothesis import given
from hypothesis import strategies as st

from catalog.formats.sequence import BinanceFuturesSequence, BinanceSpotSequence, Step


def test_futures_diffs_join_a_snapshot_by_the_published_rule() -> None:
    """u < lastUpdateId is old; the first applied has U <= lastUpdateId <= u; then pu is the u before."""
    rule = BinanceFuturesSequence()
    rule.seed(100, joined=False)
    assert rule.step(80, 99, 70) is Step.OLD
    assert rule.step(100, 105, 99) is Step.APPLY
    assert rule.step(110, 120, 105) is Step.APPLY
    assert rule.last == 120


def test_futures_diff_that_ends_in_the_snapshot_is_applied() -> None:
    """u == lastUpdateId is not old on futures."""
    rule = BinanceFuturesSequence()
    rule.seed(100, joined=False)
    assert rule.step(90, 100, 80) is Step.APPLY


def test_futures_diff_right_after_the_snapshot_joins_it() -> None:
    """Ids of other symbols lie between pu and U: pu == lastUpdateId leaves nothing out."""
    rule = BinanceFuturesSequence()
    rule.seed(100, joined=False)
    assert rule.step(150, 160, 100) is Step.APPLY


def test_futures_gap_after_the_snapshot() -> None:
    """pu above lastUpdateId means that a message between is missing."""
    rule = BinanceFuturesSequence()
    rule.seed(100, joined=False)
    assert rule.step(150, 160, 101) is Step.GAP


def test_futures_chain_without_a_snapshot() -> None:
    """The chain is checked unseeded too; after a gap it goes on from the diff that showed it."""
    rule = BinanceFuturesSequence()
    assert rule.step(1, 5, 0) is Step.APPLY
    assert rule.step(9, 10, 8) is Step.GAP
    assert rule.step(12, 13, 10) is Step.APPLY
    assert rule.step(12, 13, 10) is Step.DUPLICATE
    assert rule.step(1, 5, 0) is Step.DUPLICATE
    assert rule.last == 13


def test_spot_diffs_join_a_snapshot_by_the_published_rule() -> None:
    """u <= lastUpdateId is old; the first applied has U <= lastUpdateId + 1 <= u; then U is the u before + 1."""
    rule = BinanceSpotSequence()
    rule.seed(100, joined=False)
    assert rule.step(95, 100, 94) is Step.OLD
    assert rule.step(101, 103, 100) is Step.APPLY
    assert rule.step(104, 104, 103) is Step.APPLY
    assert rule.step(106, 107, 105) is Step.GAP


def test_spot_gap_after_the_snapshot() -> None:
    """The id after lastUpdateId must be in the first diff."""
    rule = BinanceSpotSequence()
    rule.seed(100, joined=False)
    assert rule.step(102, 103, 101) is Step.GAP


def test_a_snapshot_ahead_bridges_what_was_lost_before_it() -> None:
    """Only the joint with the snapshot counts, not the chain before it."""
    rule = BinanceSpotSequence()
    assert rule.step(1, 5, 0) is Step.APPLY
    rule.seed(20, joined=False)
    assert rule.step(10, 15, 9) is Step.OLD
    assert rule.step(18, 25, 17) is Step.APPLY
    assert rule.step(26, 27, 25) is Step.APPLY


@given(st.lists(st.integers(1, 5), min_size=2, max_size=20), st.data())
def test_a_removed_diff_is_always_a_gap(lengths: list[int], data: st.DataObject) -> None:
    """Of an unbroken chain any diff but the first and last may go missing, and one GAP shows it."""
    finals = [sum(lengths[: i + 1]) for i in range(len(lengths))]
    diffs = [(final - n + 1, final, final - n) for n, final in zip(lengths, finals, strict=True)]
    for rule in (BinanceSpotSequence(), BinanceFuturesSequence()):
        assert all(rule.step(*diff) is Step.APPLY for diff in diffs)
    if len(diffs) > 2:
        gone = data.draw(st.integers(1, len(diffs) - 2))
        for rule in (BinanceSpotSequence(), BinanceFuturesSequence()):
            steps = [rule.step(*diff) for diff in diffs[:gone] + diffs[gone + 1 :]]
            assert steps.count(Step.GAP) == 1
            assert steps[gone] is Step.GAP
