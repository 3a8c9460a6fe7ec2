"""The venue's side codes: what is bought or sold, and whether that opens or closes. Pure.

One-way and hedge accounts use the same four codes. Closing is always said by the code, never by a flag.
"""

from dataclasses import dataclass

from adapters.mexc.constants import MexcOrderSide, MexcPositionType

LONG_SUFFIX = "-LONG"
SHORT_SUFFIX = "-SHORT"
"""Ends of position ids in hedge mode, as Nautilus's Binance adapter has them."""


@dataclass(frozen=True)
class Direction:
    """`buys` or sells; `closes` a position or opens one."""

    buys: bool
    closes: bool

    @property
    def code(self) -> MexcOrderSide:
        return _CODES[self.buys, self.closes]

    @property
    def position(self) -> MexcPositionType:
        """The side of the position that it opens or closes."""
        return MexcPositionType.LONG if self.buys is not self.closes else MexcPositionType.SHORT


_CODES = {
    (True, False): MexcOrderSide.OPEN_LONG,
    (True, True): MexcOrderSide.CLOSE_SHORT,
    (False, False): MexcOrderSide.OPEN_SHORT,
    (False, True): MexcOrderSide.CLOSE_LONG,
}
_DIRECTIONS = {code: Direction(*pair) for pair, code in _CODES.items()}


def direction(code: MexcOrderSide) -> Direction:
    """What a side code says."""
    return _DIRECTIONS[code]


def hedge_position_id(instrument_id: str, position: MexcPositionType) -> str:
    """The position id of one side of a contract, in hedge mode."""
    return instrument_id + (LONG_SUFFIX if position is MexcPositionType.LONG else SHORT_SUFFIX)
