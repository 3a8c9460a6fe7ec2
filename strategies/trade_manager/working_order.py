"""One order from its sending to its end, as far as the events that came tell."""

from dataclasses import dataclass, field
from decimal import Decimal

from strategies.trade_manager.commands import Kind, Modify, Resize, Role, Submit
from strategies.trade_manager.events import (
    Accepted,
    Cancelled,
    CancelRefused,
    Expired,
    ModifyRefused,
    OrderReport,
    Refused,
    Updated,
)

FILLED = "filled"
CANCELLED = "cancelled"  # as was asked for
MAX_UNMET = 3  # answers in a row that were not what was asked for


@dataclass
class WorkingOrder:
    """Sizes are totals: what was filled and what rests. `ended` says why it ended and is empty before."""

    sent: Submit
    total: Decimal = field(init=False)
    price: Decimal | None = field(init=False)
    filled: Decimal = Decimal(0)
    accepted: bool = False
    asked: Modify | None = None  # whose answer is waited for before anything else is asked
    refused: set[Modify] = field(default_factory=set)  # not asked for again
    cancelling: bool = False
    cancel_put_off: bool = False  # it was refused: the next try is at the next retry
    ended: str = ""
    _outstanding: list[Modify] = field(default_factory=list)  # everything without an answer, in order
    _reported: tuple[Decimal | None, Decimal | None] = (None, None)  # size and price, the last time
    _doubted: bool = False  # whether the answer that is waited for may have come unrecognised
    _unmet: int = 0

    def __post_init__(self) -> None:
        self.total, self.price = self.sent.size, self.sent.price

    @property
    def ref(self) -> str:
        return self.sent.ref

    @property
    def role(self) -> Role:
        return self.sent.role

    @property
    def works(self) -> bool:
        """Whether it is not known to have ended."""
        return not self.ended

    @property
    def leaves(self) -> Decimal:
        """What is known to rest."""
        return Decimal(0) if self.ended else max(self.total - self.filled, Decimal(0))

    @property
    def most_leaves(self) -> Decimal:
        """The most that may rest, whatever the answers are that have not come."""
        return Decimal(0) if self.ended else max(self._most - self.filled, Decimal(0))

    @property
    def stays(self) -> bool:
        """Whether it works, and is meant to."""
        return not self.ended and not self.cancelling

    @property
    def awaited(self) -> bool:
        """Whether an answer is still to come, before which it cannot be modified."""
        return self.stays and (not self.accepted or self.asked is not None)

    def takes(self, modify: Modify) -> bool:
        """Whether it makes sense to ask for this now."""
        settled = self.stays and not self.awaited
        return settled and modify not in self.refused and self._unmet < MAX_UNMET

    @property
    def can_be_cancelled(self) -> bool:
        """Whether a cancel can be sent now: a market order ends by itself, one not accepted is not known yet."""
        return self.stays and self.accepted and not self.cancel_put_off and self.sent.kind is not Kind.MARKET_IOC

    def hear(self, report: OrderReport) -> None:
        """Take what is reported of it while it works."""
        match report:
            case Accepted():
                self.accepted = True
            case Refused(_, reason):
                self._end(f"refused: {reason}")
            case Cancelled():
                self._end(CANCELLED if self.cancelling else "cancelled by the venue")
            case Expired():
                self._end("expired")
            case Updated(_, size, price):
                self._update(size, price)
            case ModifyRefused():
                self._refuse_modify()
            case CancelRefused():
                self._refuse_cancel()

    def fill(self, size: Decimal) -> None:
        """Book a fill. It ends the order when nothing can be left of it."""
        self.accepted = True
        self.filled += size
        self._end_if_filled()

    def ask(self, modify: Modify) -> None:
        """A modify is on its way."""
        self.asked = modify
        self._outstanding.append(modify)

    @property
    def put_off(self) -> bool:
        """Whether there is something to do at the next retry."""
        return not self.ended and (self.cancel_put_off or self._doubted)

    def retry(self) -> None:
        """Try again what was put off."""
        self.cancel_put_off = False
        if self._doubted:
            self._not_met()

    def _update(self, size: Decimal | None, price: Decimal | None) -> None:
        """Take what the venue says the order is now: an answer, or something that nobody asked for."""
        self.accepted = True
        answered = next((modify for modify in self._outstanding if _is_done(modify, size, price)), None)
        if answered is None and (size, price) == self._reported:
            self._doubted = self.asked is not None  # said twice, or the venue will not do more
            return
        self._reported = size, price
        self.price = self.price if price is None else price
        if answered is not None:
            self._outstanding.remove(answered)
            if isinstance(answered, Resize):
                self.total = answered.size
        if answered is not None and answered == self.asked:
            self.asked, self._doubted, self._unmet = None, False, 0
        elif answered is None and self.asked is not None:
            self._not_met()
        if size is not None:
            # what was not asked for may be old news: then the smaller one is believed, so that nothing goes naked
            self.total = min(self.total, size)
        self._end_if_filled()

    def _not_met(self) -> None:
        self.asked, self._doubted, self._unmet = None, False, self._unmet + 1

    def _refuse_modify(self) -> None:
        """The first modify that has no answer was not done."""
        if self._outstanding:
            refused = self._outstanding.pop(0)
            self.refused.add(refused)
            if refused == self.asked:
                self.asked, self._doubted = None, False
            self._end_if_filled()

    def _refuse_cancel(self) -> None:
        """The cancel was not done. If nothing is left of the order by our own count, it has been filled."""
        if self.cancelling:
            self.cancelling, self.cancel_put_off = False, True
            self._end_if_filled()

    def _end(self, why: str) -> None:
        """No more can happen but late fills."""
        self.ended = self.ended or why
        self.asked, self.cancelling = None, False

    @property
    def _most(self) -> Decimal:
        sizes = [modify.size for modify in self._outstanding if isinstance(modify, Resize)]
        return max([self.total, self._reported[0] or self.total, *sizes])

    def _end_if_filled(self) -> None:
        if not self.ended and self.filled >= self._most:
            self._end(FILLED)


def _is_done(modify: Modify, size: Decimal | None, price: Decimal | None) -> bool:
    return modify.size == size if isinstance(modify, Resize) else modify.price == price
