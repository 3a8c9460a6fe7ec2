"""What the asset costs: the lead market's price and spread."""

import numpy as np
import numpy.typing as npt

from indicators.kernel import State, kernel
from strategies.config import FlowSettings
from strategies.flow.markets import BPS, book_is_fresh, market_price
from strategies.flow.schema import Feature, FeatureGroup, Flip, Input

FEATURES = (
    Feature(
        "price",
        "quote",
        Flip.SAME,
        "1 sample",
        (Input.LEAD_PRICE,),
        "mid of the lead market; its last trade where it has no book",
        learnable=False,
    ),
    Feature("spread_bps", "bps", Flip.SAME, "1 sample", (Input.LEAD_BOOK,), "best ask minus best bid of the lead"),
)
PRICE, SPREAD = range(2)

LeadPriceState = np.dtype([("price", "f8")])  # of the last `advance`, for the groups after this one; NaN where stale


def _layout(_settings: FlowSettings) -> np.dtype[np.void]:
    return LeadPriceState


def _configure(state: State, _settings: FlowSettings) -> None:
    state["price"] = np.nan


@kernel
def _advance(state: State, ts: int) -> None:
    state.lead_price.price = market_price(state, 0, ts)


@kernel
def _write(state: State, ts: int, out: npt.NDArray[np.float64]) -> None:
    price = state.lead_price.price
    out[PRICE] = price
    if book_is_fresh(state, 0, ts):
        lead = state.markets[0]
        out[SPREAD] = (lead.ask - lead.bid) / lead.price_scale / price * BPS


GROUP = FeatureGroup("lead_price", FEATURES, _layout, _configure, _write, advance=_advance)
