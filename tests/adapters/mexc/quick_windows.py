"""The signature's window shortened on both sides, so that a lost order is decided about in two seconds, not fifteen."""

import pytest

from adapters.loopback.mexc import signature as venue_signature
from adapters.mexc import order_changer, order_fate, order_sender, plan_match

WINDOW_SECONDS = 1.5
SHOWN_SECONDS = 0.5


def shorten(patch: pytest.MonkeyPatch) -> None:
    """Requests are valid for 1.5 s (10 s in truth), and shown half a second later at most (5 s)."""
    patch.setattr(venue_signature, "WINDOW_SECONDS", WINDOW_SECONDS)
    for module in (order_fate, plan_match):
        patch.setattr(module, "SIGNATURE_TOLERANCE_SECONDS", WINDOW_SECONDS)
    patch.setattr(order_fate, "SHOWN_AFTER_SECONDS", SHOWN_SECONDS)
    for module in (order_sender, order_changer):
        patch.setattr(module, "TOLERANCE_MS", round(WINDOW_SECONDS * 1000))
