"""The order of a book's changes: joins, gaps, repetitions, and any mixture of them."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mexc.depth import MAX_HELD, MAX_STALE_IN_ROW, DepthSequencer, Step
from adapters.mexc.schemas.public_rest import DepthCommit
from adapters.mexc.schemas.public_socket import DepthUpdate
from tests.adapters.mexc.recorded_payloads import frame_data, needs_fixtures, rest_data
from tests.adapters.mexc.small_contracts import snapshot, update


def live(version: int = 10) -> DepthSequencer:
    sequencer = DepthSequencer()
    assert sequencer.on_snapshot(snapshot(version)) == []
    return sequencer


def test_frames_are_held_until_a_snapshot() -> None:
    """Nothing is applied before; then those beyond the snapshot, in order."""
    sequencer = DepthSequencer()
    held = [update(5, 7), update(8, 8), update(9, 12)]
    assert [sequencer.on_update(u) for u in held] == [Step.HOLD] * 3
    assert not sequencer.is_live
    assert sequencer.on_snapshot(snapshot(8)) == held[2:]
    assert sequencer.version == 12
    assert sequencer.on_update(update(13, 15)) is Step.APPLY


def test_a_frame_across_the_snapshot_is_applied_whole() -> None:
    """begin ≤ V + 1 ≤ end: rows are absolute, so applying what the snapshot has already does no harm."""
    sequencer = DepthSequencer()
    across = update(5, 20)
    sequencer.on_update(across)
    assert sequencer.on_snapshot(snapshot(8)) == [across]
    assert sequencer.version == 20


def test_a_snapshot_older_than_the_held_frames_is_refused() -> None:
    """Versions 9 to 11 would be missing; a newer snapshot joins."""
    sequencer = DepthSequencer()
    held = update(12, 14)
    sequencer.on_update(held)
    assert sequencer.on_snapshot(snapshot(8)) is None
    assert not sequencer.is_live
    assert sequencer.counters.refused_snapshots == 1
    assert sequencer.on_snapshot(snapshot(11)) == [held]


def test_a_snapshot_newer_than_all_held_frames_joins() -> None:
    """The next frame has to follow on it, or cover it."""
    sequencer = DepthSequencer()
    sequencer.on_update(update(5, 7))
    assert sequencer.on_snapshot(snapshot(30)) == []
    assert sequencer.on_update(update(8, 30)) is Step.DROP
    assert sequencer.on_update(update(29, 33)) is Step.APPLY


def test_gap_after_a_snapshot() -> None:
    """The first frame begins beyond its next version."""
    sequencer = live(10)
    assert sequencer.on_update(update(12, 12)) is Step.RESYNC
    assert not sequencer.is_live


@pytest.mark.parametrize("merged", [True, False])
def test_gap_and_resync(merged: bool) -> None:
    """A missing version breaks the book; the frame after the gap is kept for the next snapshot."""
    sequencer = live(10)
    after = update(13, 13) if merged else update(13)
    assert sequencer.on_update(update(11)) is Step.APPLY
    assert sequencer.on_update(after) is Step.RESYNC
    assert sequencer.on_update(update(14)) is Step.HOLD
    assert sequencer.counters.gaps == 1
    assert [u.version for u in sequencer.on_snapshot(snapshot(12)) or []] == [13, 14]


def test_repeated_frames_are_dropped() -> None:
    """A frame sent twice, and one sent late, change nothing."""
    sequencer = live(10)
    first, second = update(11, 12), update(13, 13)
    assert [sequencer.on_update(u) for u in (first, second, second, first)] == [
        Step.APPLY,
        Step.APPLY,
        Step.DROP,
        Step.DROP,
    ]
    assert sequencer.version == 13


def test_a_gap_among_held_frames_drops_those_before_it() -> None:
    """No snapshot could join both."""
    sequencer = DepthSequencer()
    for held in (update(5), update(6), update(9)):
        sequencer.on_update(held)
    assert [u.version for u in sequencer.on_snapshot(snapshot(8)) or []] == [9]


def test_versions_that_begin_anew_resync() -> None:
    """Many old versions in a row are not repetitions: the venue has started again."""
    sequencer = live(10_000)
    sequencer.on_update(update(10_001))
    steps = [sequencer.on_update(update(version)) for version in range(1, MAX_STALE_IN_ROW + 1)]
    assert steps == [Step.DROP] * (MAX_STALE_IN_ROW - 1) + [Step.RESYNC]
    assert sequencer.on_snapshot(snapshot(MAX_STALE_IN_ROW - 1)) is not None


def test_old_frames_after_a_newer_snapshot_are_no_restart() -> None:
    """The socket may lag behind the snapshot by any number of frames."""
    sequencer = live(10_000)
    assert {sequencer.on_update(update(version)) for version in range(9_000, 9_200)} == {Step.DROP}
    assert sequencer.on_update(update(10_001)) is Step.APPLY


def test_reset_forgets_everything() -> None:
    """After a reconnect nothing that was before counts."""
    sequencer = live(10)
    sequencer.reset()
    assert sequencer.version is None
    assert sequencer.on_update(update(99)) is Step.HOLD


def test_memory_while_waiting_is_bounded() -> None:
    """Without a snapshot the oldest frames go, and an older snapshot is then refused."""
    sequencer = DepthSequencer()
    for version in range(1, MAX_HELD + 11):
        sequencer.on_update(update(version))
    assert sequencer.on_snapshot(snapshot(5)) is None
    assert len(sequencer.on_snapshot(snapshot(11)) or []) == MAX_HELD - 1


@needs_fixtures
def test_recorded_unmerged_run() -> None:
    """Ten recorded frames of BTC follow each other without a gap."""
    run = [frame_data("ws_public_depth_unmerged_btc_run1", DepthUpdate, n) for n in range(1, 11)]
    sequencer = live(run[0].version - 1)
    assert [sequencer.on_update(u) for u in run] == [Step.APPLY] * 10
    assert sequencer.version == 42265411283


@needs_fixtures
def test_recorded_commits_come_newest_first() -> None:
    """Single changes by REST are sorted the other way round than they apply."""
    commits = rest_data("rest_public_depth_commits_eth_usdt", list[DepthCommit])
    versions = [commit.version for commit in commits]
    assert versions == sorted(versions, reverse=True)


@dataclass
class Venue:
    """A book whose content is its version: what a client that applied everything up to it would have."""

    sequencer: DepthSequencer
    content: int | None = None

    def send(self, first: int, last: int) -> None:
        frame = update(first, last)
        step = self.sequencer.on_update(frame)
        if step is Step.APPLY:
            self.apply(first, last)
        elif step is Step.RESYNC:
            self.content = None

    def snapshot(self, version: int) -> None:
        held = self.sequencer.on_snapshot(snapshot(version))
        if held is not None:
            self.content = version
            for frame in held:
                self.apply(frame.first_version, frame.last_version)

    def apply(self, first: int, last: int) -> None:
        assert self.content is not None
        assert first <= self.content + 1, "changes were skipped"
        assert last > self.content, "the book went back"
        self.content = last


@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.just("frame"), st.integers(1, 5), st.sampled_from(["send", "send", "send", "drop", "twice", "late"])
            ),
            st.tuples(st.just("snapshot"), st.integers(0, 12), st.just("")),
        ),
        max_size=80,
    )
)
def test_no_change_is_ever_skipped_or_undone(steps: list[tuple[str, int, str]]) -> None:
    """Frames dropped, doubled and late, snapshots of any age: a live book is the venue's of that version."""
    client = Venue(DepthSequencer())
    version, late = 0, []
    for kind, number, fate in steps:
        if kind == "snapshot":
            client.snapshot(max(0, version - number))
            continue
        span = (version + 1, version + number)
        version += number
        if fate == "late":
            late.append(span)
            continue
        for _ in range({"send": 1, "drop": 0, "twice": 2}[fate]):
            client.send(*span)
        if fate == "twice" and late:
            client.send(*late.pop(0))
    # whatever happened: one good snapshot and the next frame make it live and up to date
    client.snapshot(version)
    client.send(version + 1, version + 2)
    if not client.sequencer.is_live:
        client.snapshot(version + 2)
    assert client.content == version + 2
    assert client.sequencer.version == version + 2
