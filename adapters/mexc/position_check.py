"""The engine's positions against the venue's. Pure: the engine is asked through a function."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from adapters.mexc.constants import MexcPositionType
from adapters.mexc.schemas.private_account import PositionRow

type Sides = tuple[Decimal, Decimal]
"""Contracts long and short, both positive."""


class PositionCheck:
    """`engine` gives what the engine has of every contract, by symbol. In one-way mode only the net is compared.

    News may be under way, so a difference counts only if it is the same at two looks in a row.
    """

    def __init__(self, engine: Callable[[], dict[str, Sides]], *, one_way: bool) -> None:
        self._engine = engine
        self._one_way = one_way
        self._seen: dict[str, tuple[Sides, Sides]] = {}
        self.unsure = False
        """Whether the last look has seen a difference for the first time: another one is to follow soon."""

    def differing(self, rows: Iterable[PositionRow]) -> list[str]:
        """Symbols that differ as they did the last time."""
        venue: dict[str, Sides] = {}
        for row in rows:
            long, short = venue.get(row.symbol, (Decimal(0), Decimal(0)))
            is_long = row.position_type is MexcPositionType.LONG
            venue[row.symbol] = (long + row.hold_vol, short) if is_long else (long, short + row.hold_vol)
        engine = self._engine()
        none = (Decimal(0), Decimal(0))
        pairs = {symbol: (venue.get(symbol, none), engine.get(symbol, none)) for symbol in venue.keys() | engine.keys()}
        now = {symbol: pair for symbol, pair in pairs.items() if self._view(pair[0]) != self._view(pair[1])}
        again = sorted(symbol for symbol, pair in now.items() if self._seen.get(symbol) == pair)
        self._seen, self.unsure = now, len(again) < len(now)
        return again

    def difference(self, symbol: str) -> str:
        """In words."""
        (long, short), (our_long, our_short) = self._seen[symbol]
        return f"the venue has {long} long and {short} short, the engine {our_long} and {our_short}"

    def _view(self, sides: Sides) -> Sides:
        long, short = sides
        return (long - short, Decimal(0)) if self._one_way else sides
