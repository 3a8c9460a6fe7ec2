"""What a round trip is expected to cost, by part, held against the mid at the decision as fills are later.

The reference of all distances is the mid. An entry takes: half the spread, the book walked exactly, the taker's fee. A
target rests: no spread, no slippage, the maker's fee at its price. A stop, and the time barrier, take: half the spread
and, for want of a better guess, the slippage of the entry once more, with the taker's fee at the stop's price.
"""

from dataclasses import dataclass, fields
from decimal import ROUND_CEILING, Decimal, localcontext

from strategies.candidates.venue_view import VenueView, Walk
from strategies.sizing import DIGITS


@dataclass(frozen=True)
class TripCosts:
    """Costs from entry to exit; positive is a cost. In money (account currency), or in quote per base."""

    fee_in: Decimal = Decimal(0)
    fee_out: Decimal = Decimal(0)
    spread: Decimal = Decimal(0)
    slippage: Decimal = Decimal(0)
    funding: Decimal = Decimal(0)  # below 0 is received

    @property
    def total(self) -> Decimal:
        """All of them, rounded up where digits have no end."""
        with localcontext(prec=DIGITS, rounding=ROUND_CEILING):
            return sum((getattr(self, f.name) for f in fields(self)), Decimal(0))

    def over(self, size_base: Decimal) -> "TripCosts":
        """Of money: per base unit. What has no end of digits is rounded up."""
        with localcontext(prec=DIGITS, rounding=ROUND_CEILING):
            return TripCosts(*(getattr(self, f.name) / size_base for f in fields(self)))

    def mixed(self, other: "TripCosts", share: Decimal) -> "TripCosts":
        """`share` of these and the rest of `other`."""
        with localcontext(prec=DIGITS):
            return TripCosts(
                *(share * getattr(self, f.name) + (1 - share) * getattr(other, f.name) for f in fields(self))
            )

    def as_floats(self) -> dict[str, float]:
        """Plain numbers by name, with their total."""
        return {f.name: float(getattr(self, f.name)) for f in fields(self)} | {"total": float(self.total)}


def funding_per_base(view: VenueView, side: int, ts: int, horizon_seconds: int) -> Decimal | None:
    """Funding due in (`ts`, `ts` + horizon], in quote per base at the mid: positive is paid. UNIX ns.

    0 where the next settlement lies beyond, whatever its rate; None where it is not known (a settlement that is over is
    not the next one). Intervals are taken to be longer than the horizon: no more than one settlement counts.
    """
    due = view.next_funding_ns
    if due is None or due <= ts:
        return None
    if due > ts + horizon_seconds * 1_000_000_000:
        return Decimal(0)
    if view.funding_rate is None:
        return None
    with localcontext(prec=DIGITS):
        return side * view.funding_rate * view.mid


def entry_slippage(view: VenueView, side: int, walked: Walk) -> Decimal:
    """Money that walking costs beyond the best price."""
    touch = (view.asks if side > 0 else view.bids)[0].price
    with localcontext(prec=DIGITS):
        return side * (walked.notional - touch * walked.size_base)


def costs_at_stop(view: VenueView, side: int, walked: Walk, stop: Decimal, funding: Decimal) -> TripCosts:
    """Money that a stopped trip of the walked size costs. `stop` and `funding` are in quote per base.

    Funding that is received does not count: the stop may come before the settlement.
    """
    with localcontext(prec=DIGITS):
        return TripCosts(
            fee_in=view.taker_fee * walked.notional,
            fee_out=view.taker_fee * stop * walked.size_base,
            spread=view.spread * walked.size_base,
            slippage=2 * entry_slippage(view, side, walked),
            funding=max(funding, Decimal(0)) * walked.size_base,
        )


def costs_at_target(view: VenueView, side: int, walked: Walk, exit_price: Decimal, funding: Decimal) -> TripCosts:
    """Money that a trip to its targets costs; `exit_price` is their mean price, quote per base; funding is signed."""
    with localcontext(prec=DIGITS):
        return TripCosts(
            fee_in=view.taker_fee * walked.notional,
            fee_out=view.maker_fee * exit_price * walked.size_base,
            spread=view.spread / 2 * walked.size_base,
            slippage=entry_slippage(view, side, walked),
            funding=funding * walked.size_base,
        )


def break_even_price(view: VenueView, side: int, walked: Walk, funding: Decimal) -> Decimal | None:
    """Price at which a resting exit just pays the trip, never on the losing side of the mid; None if not positive.

    ``side × (price - mid) = costs until then + maker_fee × price``. Funding that is received does not count.
    """
    until = costs_at_target(view, side, walked, Decimal(0), max(funding, Decimal(0))).over(walked.size_base).total
    with localcontext(prec=DIGITS):
        price = (view.mid + side * until) / (1 - side * view.maker_fee)
        if side * (price - view.mid) < 0:
            return view.mid
    return price if price > 0 else None
