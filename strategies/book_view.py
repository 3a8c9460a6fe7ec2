"""What the flow needs of an order book, whoever keeps it."""

from typing import Protocol

from indicators.kernel import Floats, Ints

type Bands = tuple[int, int, int]
"""A price for each depth band, near to far."""


class BookView(Protocol):
    """A book by price level. Prices are whole numbers of the market's last decimal place (10^-price_places), so that
    every keeper of a book compares them exactly; sizes are the venue's own units. Depth is a sum of doubles in any
    order: the flow rounds it to the size's decimal, so that two keepers of the same book give the same bits.
    """

    @property
    def updates(self) -> int:
        """How many changes the book has taken; only that it changes is used."""
        ...

    def best(self) -> tuple[int, int] | None:
        """Best bid and ask, or None where a side is empty."""
        ...

    def depths(self, lowest_bids: Bands, highest_asks: Bands) -> tuple[float, float, float, float, float, float]:
        """Size bid at each of three prices and above, then size offered at each of three prices and below.

        In one call: it is asked of every book at every sample.
        """
        ...

    def levels_down_to(self, price_units: int) -> tuple[Ints, Floats]:
        """Prices and sizes of the bids at `price_units` and above, best first, in arrays of the caller's own."""
        ...

    def levels_up_to(self, price_units: int) -> tuple[Ints, Floats]:
        """Prices and sizes of the asks at `price_units` and below, best first, in arrays of the caller's own."""
        ...
