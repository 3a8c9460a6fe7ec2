"""A compiled ladder as the flow sees it; see :class:`strategies.book_view.BookView`."""

from indicators.kernel import Floats, Ints
from indicators.ladder import Ladder
from indicators.sides import ASK, BID
from strategies.book_view import Bands


class LadderView:
    """A :class:`Ladder` whose sizes are whole steps of 10^-size_places."""

    __slots__ = ("_ladder", "_size_scale")

    def __init__(self, ladder: Ladder, size_places: int) -> None:
        self._ladder = ladder
        self._size_scale = 10.0**size_places

    @property
    def updates(self) -> int:
        return self._ladder.updates

    def best(self) -> tuple[int, int] | None:
        bid, ask = self._ladder.best()
        return None if bid is None or ask is None else (bid, ask)

    def depths(self, lowest_bids: Bands, highest_asks: Bands) -> tuple[float, float, float, float, float, float]:
        depth, scale = self._ladder.depth_within, self._size_scale
        (b1, b2, b3), (a1, a2, a3) = lowest_bids, highest_asks
        bids = depth(BID, b1) / scale, depth(BID, b2) / scale, depth(BID, b3) / scale
        return *bids, depth(ASK, a1) / scale, depth(ASK, a2) / scale, depth(ASK, a3) / scale

    def levels_down_to(self, price_units: int) -> tuple[Ints, Floats]:
        prices, sizes = self._ladder.levels_within(BID, price_units)
        return prices, sizes / self._size_scale

    def levels_up_to(self, price_units: int) -> tuple[Ints, Floats]:
        prices, sizes = self._ladder.levels_within(ASK, price_units)
        return prices, sizes / self._size_scale
