"""Whether a diff of an order book follows on what is known: the venues' own rules as small state machines.

Binance gives every diff the range of update ids that it covers, and says how to join diffs to a REST snapshot: "How to
manage a local order book correctly", developers.binance.com, under the WebSocket streams of spot and of the futures.
"""

from enum import Enum
from typing import Protocol


class Step(Enum):
    """What to do with a diff."""

    APPLY = "apply"
    DUPLICATE = "duplicate"  # its ids have been seen
    OLD = "old"  # the snapshot already holds it
    GAP = "gap"  # messages between it and what is known are missing


class BookSequence(Protocol):
    """The rule of one venue. Ids: `first` and `final` of the diff, `previous` the final id of the diff before it."""

    @property
    def last(self) -> int | None:
        """The newest update id that the book holds; None before anything is known."""

    def seed(self, last_update_id: int, *, joined: bool) -> None:
        """Start from a snapshot. If no diff has `joined` it yet, the next one that is not old must."""

    def step(self, first: int, final: int, previous: int) -> Step:
        """Judge the next diff and take it as seen, also after a GAP, from which the chain goes on."""

    def is_old(self, final: int, last_update_id: int) -> bool:
        """True if a snapshot of `last_update_id` already holds a diff that ends in `final`."""

    def joins(self, first: int, final: int, previous: int, last_update_id: int) -> bool:
        """True if a diff that is not old is the next one for a snapshot of `last_update_id`: nothing lies between."""


class _BinanceSequence:
    def __init__(self) -> None:
        self.last: int | None = None
        self._seen: int | None = None  # final id of the last diff
        self._snapshot: int | None = None  # until the first diff has joined it

    def seed(self, last_update_id: int, *, joined: bool) -> None:
        self._snapshot = None if joined else last_update_id
        self.last = self._seen if joined else last_update_id

    def step(self, first: int, final: int, previous: int) -> Step:
        seen = self._seen
        if seen is not None and final <= seen:
            return Step.DUPLICATE
        self._seen = final
        snapshot = self._snapshot
        if snapshot is not None:
            # what the stream lost before the snapshot is in the snapshot: only the joint counts
            if self.is_old(final, snapshot):
                return Step.OLD
            self._snapshot = None
            self.last = final
            return Step.APPLY if self.joins(first, final, previous, snapshot) else Step.GAP
        self.last = final
        return Step.APPLY if seen is None or self._follows(first, previous, seen) else Step.GAP

    def is_old(self, final: int, last_update_id: int) -> bool:
        raise NotImplementedError

    def joins(self, first: int, final: int, previous: int, last_update_id: int) -> bool:
        raise NotImplementedError

    def _follows(self, first: int, previous: int, seen: int) -> bool:
        raise NotImplementedError


class BinanceFuturesSequence(_BinanceSequence):
    """USDT-M and COIN-M futures: drop u < lastUpdateId, then every pu must equal the u before.

    Update ids count all symbols, so a symbol's own ids have holes: nothing of it happened between pu and U. The venue's
    text asks for U <= lastUpdateId <= u of the first diff; here pu <= lastUpdateId <= u, which also takes a snapshot
    whose id is exactly the u of the last diff that it holds.
    """

    def is_old(self, final: int, last_update_id: int) -> bool:
        return final < last_update_id

    def joins(self, first: int, final: int, previous: int, last_update_id: int) -> bool:
        return previous <= last_update_id <= final

    def _follows(self, first: int, previous: int, seen: int) -> bool:
        return previous == seen


class BinanceSpotSequence(_BinanceSequence):
    """Spot: drop u <= lastUpdateId, the first diff has U <= lastUpdateId + 1 <= u, then every U is the u before + 1."""

    def is_old(self, final: int, last_update_id: int) -> bool:
        return final <= last_update_id

    def joins(self, first: int, final: int, previous: int, last_update_id: int) -> bool:
        return first <= last_update_id + 1 <= final

    def _follows(self, first: int, previous: int, seen: int) -> bool:
        return first == seen + 1
