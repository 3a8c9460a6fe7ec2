"""A compiled ladder as the flow sees it; see :class:`strategies.book_view.BookView`."""

from indicators.kernel import Floats, Ints
from indicators.ladder import Ladder
from indicators.sides import ASK, BID


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

    def depth_down_to(self, price_units: int) -> float:
        return self._ladder.depth_within(BID, price_units) / self._size_scale

    def depth_up_to(self, price_units: int) -> float:
        return self._ladder.depth_within(ASK, price_units) / self._size_scale

    def levels_down_to(self, price_units: int) -> tuple[Ints, Floats]:
        prices, sizes = self._ladder.levels_within(BID, price_units)
        return prices, sizes / self._size_scale

    def levels_up_to(self, price_units: int) -> tuple[Ints, Floats]:
        prices, sizes = self._ladder.levels_within(ASK, price_units)
        return prices, sizes / self._size_scale
