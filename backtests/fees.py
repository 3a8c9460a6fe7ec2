"""Trading fees of the simulated venues: by venue, kind of market and fee tier, as fractions of notional.

The numbers are data (`profiles/fees.toml`, each table with its source and date). Whoever wants an account's true rates
asks the venue: Binance `commissionRate`, Bybit `account/fee-rate`, MEXC `account/tiered_fee_rate/v2`.
"""

from decimal import Decimal, localcontext
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from backtests.toml_table import read_table
from strategies.config import Settings

DEFAULT_FEES = Path(__file__).parent / "profiles" / "fees.toml"

Kind = Literal["perp", "spot"]

_DIGITS = 60  # a rate times a discount is exact well within this


class FeeError(ValueError):
    """No such fee; the message names what was asked for and what there is."""


class Fees(Settings):
    """What a fill costs on each liquidity side, as a fraction of its notional. A negative maker fee is a rebate."""

    maker: Annotated[Decimal, Field(ge=Decimal("-0.01"), le=Decimal("0.01"))]
    taker: Annotated[Decimal, Field(ge=0, le=Decimal("0.01"))]

    @model_validator(mode="after")
    def _maker_is_cheaper(self) -> Self:
        if self.maker > self.taker:
            raise ValueError(f"maker {self.maker} is dearer than taker {self.taker}: are the two swapped?")
        return self

    def discounted(self, discount: Decimal) -> "Fees":
        """These fees less a fraction of themselves, exactly: 0.1 takes a tenth off. A rebate stays what it is.

        Raises FeeError for a fraction outside [0, 1).
        """
        if not discount.is_finite() or not 0 <= discount < 1:
            raise FeeError(f"discount must be a fraction of the fee in [0, 1), got {discount}: 10 % is written 0.1")
        with localcontext(prec=_DIGITS):
            kept = 1 - discount
            return Fees(maker=self.maker * kept if self.maker > 0 else self.maker, taker=self.taker * kept)


class FeeTable(Settings):
    """The tiers of a venue's kind of market, and the discounts that it sells (fractions of the fee, by name)."""

    tiers: Annotated[dict[str, Fees], Field(min_length=1)]
    discounts: dict[str, Annotated[Decimal, Field(gt=0, lt=1)]] = Field(default_factory=dict)


class FeeSchedules(Settings):
    """Every fee table, by venue and kind of market."""

    venues: Annotated[dict[str, dict[Kind, FeeTable]], Field(min_length=1)]

    def fees(self, venue: str, kind: str, tier: str, discount: Decimal = Decimal(0)) -> Fees:
        """Fees of `venue` (as in the catalog: BINANCE) on its `kind` of market ("perp", "spot") at fee tier `tier`.

        `discount` is a fraction taken off both sides where a fee is paid. Raises FeeError naming what there is.
        """
        tiers = self._table(venue, kind).tiers
        if tier not in tiers:
            raise FeeError(f"{venue} {kind} has no fee tier {tier!r}: there are {', '.join(tiers)}")
        return tiers[tier].discounted(discount)

    def discount(self, venue: str, kind: str, name: str) -> Decimal:
        """The discount `name` of a venue's kind of market, a fraction of the fee. Raises FeeError if there is none."""
        discounts = self._table(venue, kind).discounts
        if name not in discounts:
            raise FeeError(f"{venue} {kind} has no discount {name!r}: there are {', '.join(discounts) or 'none'}")
        return discounts[name]

    def _table(self, venue: str, kind: str) -> FeeTable:
        if venue not in self.venues:
            raise FeeError(f"no fees of venue {venue!r}: there are {', '.join(self.venues)}")
        for name, table in self.venues[venue].items():
            if name == kind:
                return table
        raise FeeError(f"no fees of {venue} {kind!r} markets: there are {', '.join(self.venues[venue])}")


def load_fee_schedules(path: Path = DEFAULT_FEES) -> FeeSchedules:
    """Read fee schedules. Raises TableError (a ValueError) naming each key that is wrong and its value."""
    return read_table(path, FeeSchedules)
