"""What a trade has filled: each fill once, and what they leave open."""

from decimal import Decimal

from strategies.trade_manager.events import ClosedByVenue, Filled


class FillBook:
    """`step` is the venue's size step, `side` the trade's: 1 long, -1 short."""

    def __init__(self, side: int, step: Decimal) -> None:
        self._side = side
        self._step = step
        self._seen: set[tuple[str, str]] = set()
        self.fills: list[Filled | ClosedByVenue] = []  # that were counted, in order
        self.entered = Decimal(0)  # size, in all
        self.open_size = Decimal(0)  # negative while more was closed than entered

    @property
    def closable(self) -> Decimal:
        """What is open, in whole steps: no order closes less."""
        return self.open_size - self.open_size % self._step

    def is_new(self, fill: Filled | ClosedByVenue) -> bool:
        """Whether it was not added yet. Two orders of ours that met in the book share an id."""
        return self._key(fill) not in self._seen

    def add(self, fill: Filled | ClosedByVenue, order_side: int, *, entry: bool) -> None:
        """Count a fill of an order that buys (1) or sells (-1)."""
        self._seen.add(self._key(fill))
        self.fills.append(fill)
        self.open_size += fill.size * order_side * self._side
        if entry:
            self.entered += fill.size

    def _key(self, fill: Filled | ClosedByVenue) -> tuple[str, str]:
        return fill.ref if isinstance(fill, Filled) else "", fill.fill_id
