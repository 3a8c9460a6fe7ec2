"""Which symbol goes to which socket."""

from hypothesis import given
from hypothesis import strategies as st

from adapters.mexc.socket_pool import ShardPlan


def test_fills_shard_by_shard() -> None:
    """Three a shard: the fourth opens the next; a symbol keeps its place."""
    plan = ShardPlan(3)
    assert [plan.place(s) for s in "abcd"] == [0, 0, 0, 1]
    assert plan.place("b") == 0
    assert plan.members(0) == {"a", "b", "c"}


def test_freed_places_are_used_and_empty_shards_are_told() -> None:
    """The fullest shard with room is filled first; the last symbol's leaving names the shard to close."""
    plan = ShardPlan(2)
    for symbol in "abcd":
        plan.place(symbol)
    assert plan.release("a") is None
    assert plan.place("e") == 0
    assert plan.release("c") is None
    assert plan.release("d") == 1
    assert plan.release("d") is None
    assert [plan.place("f"), plan.place("g")] == [1, 1]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=200), st.integers(1, 7))
def test_no_shard_is_ever_overfull(steps: list[tuple[bool, int]], most: int) -> None:
    """And every placed symbol is on exactly one."""
    plan = ShardPlan(most)
    placed: set[str] = set()
    for add, number in steps:
        symbol = str(number)
        if add:
            plan.place(symbol)
            placed.add(symbol)
        else:
            plan.release(symbol)
            placed.discard(symbol)
        shards = {s: plan.members(s) for s in range(40)}
        assert all(len(members) <= most for members in shards.values())
        assert sorted(symbol for members in shards.values() for symbol in members) == sorted(placed)
