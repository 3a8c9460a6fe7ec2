"""What a trade may be after the one before it; the same for every venue and for the row-wise and vectorised readers."""

WITHHELD_IDS = 1_000  # a run of trade ids this long may be liquidations that futures do not publish
FAR_OFF = 0.5  # of the previous price
FAR_OFF_WITHIN_NS = 60 * 1_000_000_000
