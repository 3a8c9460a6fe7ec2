"""What the flow needs of an order book, whoever keeps it."""

from typing import Protocol

from indicators.kernel import Floats, Ints


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

    def depth_down_to(self, price_units: int) -> float:
        """Size bid at `price_units` and above."""
        ...

    def depth_up_to(self, price_units: int) -> float:
        """Size offered at `price_units` and below."""
        ...

    def levels_down_to(self, price_units: int) -> tuple[Ints, Floats]:
        """Prices and sizes of the bids at `price_units` and above, best first, in arrays of the caller's own."""
        ...

    def levels_up_to(self, price_units: int) -> tuple[Ints, Floats]:
        """Prices and sizes of the asks at `price_units` and below, best first, in arrays of the caller's own."""
        ...
