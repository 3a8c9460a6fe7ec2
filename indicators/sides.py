"""How sides are counted in every column and kernel: the codes of NautilusTrader's AggressorSide and OrderSide."""

from indicators.kernel import kernel

UNKNOWN, BUYER, SELLER = 0, 1, 2
"""The taker of a trade."""


@kernel
def taker_sign(taker_side: int) -> float:
    """1 for a buyer, -1 for a seller, else 0. Without a branch: whose turn it is nobody can predict, a processor
    neither, and a wrong guess costs as much as an indicator."""
    sign: float = 1.0 * (taker_side == BUYER) - 1.0 * (taker_side == SELLER)
    return sign


NO_SIDE, BID, ASK = 0, 1, 2
"""The side of a price level."""
