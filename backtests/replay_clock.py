"""When the clock of a replay runs."""

SECOND_NS = 1_000_000_000


def clock_start_ns(span: tuple[int, int]) -> int:
    """When the clock of a replay of this span starts: at the whole second before its first event."""
    return span[0] // SECOND_NS * SECOND_NS
