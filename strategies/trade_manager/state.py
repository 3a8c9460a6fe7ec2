"""Where a trade is."""

from enum import StrEnum


class TradeState(StrEnum):
    """A trade goes down this list; only a late fill takes it from the last back to the one before."""

    READY = "ready"  # not started
    ENTERING = "entering"  # nothing filled yet
    OPEN = "open"
    LEAVING = "leaving"  # or not entered, and its orders have not ended
    DONE = "done"  # nothing is open and nothing can work
