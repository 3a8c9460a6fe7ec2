"""How sides are counted in every column and kernel: the codes of NautilusTrader's AggressorSide and OrderSide."""

UNKNOWN, BUYER, SELLER = 0, 1, 2
"""The taker of a trade."""

NO_SIDE, BID, ASK = 0, 1, 2
"""The side of a price level."""
