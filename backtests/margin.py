"""Margin of linear contracts: tiers, and the prices at which a position or an account is liquidated or bankrupt.

All money is in quote currency, all sizes in base units (contracts × multiplier), sides are +1 (long) and -1 (short).
Every sum and product is exact as long as it has no more than `DIGITS` digits; a price is one division, rounded there.

Sources: Binance "Leverage and Margin of USDⓈ-M Futures" and "How to Calculate Liquidation Price of USDⓈ-M Futures
Contracts"; Bybit "Maintenance Margin (USDT Contract)"; MEXC "Liquidation and Risk Limit". Not modelled: the fee to
close that Bybit, and the liquidation fee that MEXC, add to maintenance; liquidation in steps; hedged positions.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Annotated

from pydantic import Field

from backtests.toml_table import TableError, read_table
from strategies.config import Settings

DEFAULT_MARGIN_TIERS = Path(__file__).parent / "profiles" / "margin_tiers.toml"
GENERIC = "*"  # the table of a venue's other assets
DIGITS = 60


@dataclass(frozen=True)
class MarginTier:
    """Up to `notional_cap` (None: no end) maintenance is ``notional × maintenance_rate - maintenance_amount``.

    The amount (Binance's "cum", Bybit's "deduction") is found by `MarginTiers`; one that is given must be that.
    """

    notional_cap: Decimal | None
    maintenance_rate: Decimal  # fraction of notional
    max_leverage: Decimal
    maintenance_amount: Decimal = Decimal(0)


@dataclass(frozen=True)
class MarginTiers:
    """Tiers in order, each from the cap before it (exclusive) to its own (inclusive); maintenance is continuous.

    A finite last cap is the largest position that may be opened. A position that outgrows it by its price keeps the
    last rate. Raises ValueError for tiers that are out of order or whose leverage leaves no room above maintenance.
    """

    tiers: tuple[MarginTier, ...]

    def __post_init__(self) -> None:
        if not self.tiers:
            raise ValueError("margin tiers are empty: give at least one")
        floor, rate, amount, leverage = Decimal(0), Decimal(0), Decimal(0), Decimal("Infinity")
        found = []
        with localcontext(prec=DIGITS):
            for number, tier in enumerate(self.tiers, 1):
                if wrong := _fault(tier, floor, rate, leverage, is_last=number == len(self.tiers)):
                    raise ValueError(f"margin tier {number}: {wrong}")
                amount += floor * (tier.maintenance_rate - rate)
                if tier.maintenance_amount not in (0, amount):
                    raise ValueError(
                        f"margin tier {number}: maintenance_amount {tier.maintenance_amount} must be {amount}, "
                        f"else maintenance jumps at {floor}: leave it out"
                    )
                found.append(replace(tier, maintenance_amount=amount))
                floor, rate, leverage = tier.notional_cap or floor, tier.maintenance_rate, tier.max_leverage
        object.__setattr__(self, "tiers", tuple(found))

    def tier(self, notional: Decimal) -> MarginTier:
        """The tier of a position to be opened. Raises ValueError below zero and above the largest position."""
        last = self.tiers[-1].notional_cap
        if last is not None and notional > last:
            raise ValueError(f"notional {notional} is above {last}, the largest position of these tiers: open less")
        return self._tier(notional)

    def max_leverage(self, notional: Decimal) -> Decimal:
        """The highest leverage at which `notional` may be opened."""
        return self.tier(notional).max_leverage

    def maintenance(self, notional: Decimal) -> Decimal:
        """Margin that a position worth `notional` at the mark must keep: continuous and rising."""
        tier = self._tier(notional)
        with localcontext(prec=DIGITS):
            return notional * tier.maintenance_rate - tier.maintenance_amount

    def _tier(self, notional: Decimal) -> MarginTier:
        if not notional.is_finite() or notional < 0:
            raise ValueError(f"notional {notional} must not be negative: it is size × price, whatever the side")
        caps = [tier.notional_cap for tier in self.tiers if tier.notional_cap is not None]
        return self.tiers[min(bisect_left(caps, notional), len(self.tiers) - 1)]


def initial_margin(notional: Decimal, leverage: Decimal, tiers: MarginTiers) -> Decimal:
    """``notional / leverage``. Raises ValueError for a leverage that is not positive or above the tier's maximum."""
    _check_positive(leverage=leverage)
    most = tiers.max_leverage(notional)
    if leverage > most:
        raise ValueError(f"leverage {leverage} is above {most}, the most for a notional of {notional}: lower either")
    with localcontext(prec=DIGITS):
        return notional / leverage


def liquidation_price(
    side: int, entry: Decimal, size_base: Decimal, margin: Decimal, tiers: MarginTiers
) -> Decimal | None:
    """Mark price at which an isolated position's ``margin + unrealised`` equals its maintenance; None if not positive.

    Along the notional n at the mark, equity is ``margin - side × size × entry + side × n`` and maintenance
    ``rate × n - amount``. Rates are below 1, so a long's equity falls to it only from above and a short's only from
    below: the root is one, and lies in the first tier at whose cap the position is past it. A position that is already
    under its maintenance at entry has its price on the far side of entry.
    """
    _check_position(side, entry, size_base, margin)
    with localcontext(prec=DIGITS):
        backing = margin - side * size_base * entry
        for tier in tiers.tiers:
            cap = tier.notional_cap
            if (
                cap is None
                or side * (backing + side * cap - cap * tier.maintenance_rate + tier.maintenance_amount) >= 0
            ):
                break
        price = (backing + tier.maintenance_amount) / ((tier.maintenance_rate - side) * size_base)
    return price if price > 0 else None


def bankruptcy_price(side: int, entry: Decimal, size_base: Decimal, margin: Decimal) -> Decimal | None:
    """Price at which ``margin + unrealised`` is zero; None if no positive price is (a long whose margin covers all)."""
    _check_position(side, entry, size_base, margin)
    with localcontext(prec=DIGITS):
        price = (side * size_base * entry - margin) / (side * size_base)
    return price if price > 0 else None


@dataclass(frozen=True)
class CrossPosition:
    """A position whose margin is the whole account's, at its mark price."""

    side: int
    entry: Decimal
    size_base: Decimal
    mark: Decimal
    tiers: MarginTiers

    def __post_init__(self) -> None:
        _check_position(self.side, self.entry, self.size_base, Decimal(0))
        _check_positive(mark=self.mark)

    @property
    def unrealised(self) -> Decimal:
        """Profit at the mark, negative for a loss."""
        with localcontext(prec=DIGITS):
            return self.side * self.size_base * (self.mark - self.entry)

    @property
    def maintenance(self) -> Decimal:
        """Margin that must be kept for it at the mark."""
        with localcontext(prec=DIGITS):
            return self.tiers.maintenance(self.size_base * self.mark)


def account_equity(balance: Decimal, positions: Sequence[CrossPosition]) -> Decimal:
    """Balance (realised, of the cross account) and unrealised profit of all positions."""
    if not balance.is_finite():
        raise ValueError(f"balance must be a number, got {balance}: check the account")
    with localcontext(prec=DIGITS):
        return balance + sum((position.unrealised for position in positions), Decimal(0))


def account_is_liquidatable(balance: Decimal, positions: Sequence[CrossPosition]) -> bool:
    """Whether equity is no more than the maintenance of all positions. An account without positions never is."""
    if not positions:
        return False
    with localcontext(prec=DIGITS):
        return account_equity(balance, positions) <= sum(position.maintenance for position in positions)


def cross_bankruptcy_price(
    balance: Decimal, position: CrossPosition, others: Sequence[CrossPosition]
) -> Decimal | None:
    """Price of `position` at which the account's equity is zero, others at their marks; None if not positive."""
    return bankruptcy_price(position.side, position.entry, position.size_base, account_equity(balance, others))


class _TierRow(Settings):
    notional_cap: Annotated[Decimal, Field(gt=0)] | None = None
    maintenance_rate: Decimal
    max_leverage: Decimal


class _TierFile(Settings):
    venues: dict[str, dict[str, list[_TierRow]]]


@dataclass(frozen=True)
class MarginTables:
    """Margin tiers by venue and asset."""

    venues: Mapping[str, Mapping[str, MarginTiers]]

    def tiers(self, venue: str, asset: str) -> MarginTiers:
        """Tiers of `asset` (BTC) on `venue` (BINANCE), else the venue's generic ones. Raises ValueError."""
        if venue not in self.venues:
            raise ValueError(f"no margin tiers of venue {venue!r}: there are {', '.join(self.venues)}")
        tables = self.venues[venue]
        return tables.get(asset, tables[GENERIC])


def load_margin_tiers(path: Path = DEFAULT_MARGIN_TIERS) -> MarginTables:
    """Read margin tiers. Raises TableError (a ValueError) naming file, venue and asset of what is wrong."""
    venues: dict[str, dict[str, MarginTiers]] = {}
    for venue, assets in read_table(path, _TierFile).venues.items():
        if GENERIC not in assets:
            raise TableError(f"{path}: {venue} has no table {GENERIC!r}: add one for assets that are not listed")
        venues[venue] = {}
        for asset, rows in assets.items():
            try:
                tiers = tuple(MarginTier(row.notional_cap, row.maintenance_rate, row.max_leverage) for row in rows)
                venues[venue][asset] = MarginTiers(tiers)
            except ValueError as error:
                raise TableError(f"{path}: {venue}.{asset}: {error}") from error
    return MarginTables(venues)


def _fault(tier: MarginTier, floor: Decimal, rate: Decimal, leverage: Decimal, *, is_last: bool) -> str | None:
    """What is wrong with `tier` after one with cap `floor`, `rate` and max `leverage`."""
    cap = tier.notional_cap
    if cap is None and not is_last:
        return "it has no notional_cap but is not the last: only the last may be open"
    if cap is not None and not (cap.is_finite() and cap > floor):
        return f"notional_cap {cap} must be above {floor}, the cap before it"
    if not (tier.maintenance_rate.is_finite() and rate < tier.maintenance_rate < 1):
        return f"maintenance_rate {tier.maintenance_rate} must be above {rate}, the rate before it, and below 1"
    if not (tier.max_leverage.is_finite() and 1 <= tier.max_leverage <= leverage):
        return f"max_leverage {tier.max_leverage} must be at least 1 and at most {leverage}, the tier before"
    if tier.maintenance_rate * tier.max_leverage >= 1:
        return (
            f"maintenance_rate {tier.maintenance_rate} is no less than the initial margin at max_leverage "
            f"{tier.max_leverage}: a position would be liquidated as it opens"
        )
    return None


def _check_position(side: int, entry: Decimal, size_base: Decimal, margin: Decimal) -> None:
    if side not in (1, -1):
        raise ValueError(f"side must be 1 (long) or -1 (short), got {side}")
    _check_positive(entry=entry, size_base=size_base)
    if not margin.is_finite():
        raise ValueError(f"margin must be a number, got {margin}: check the account")


def _check_positive(**values: Decimal) -> None:
    for name, value in values.items():
        if not value.is_finite() or value <= 0:
            raise ValueError(f"{name} must be positive, got {value}: check the position before asking for its margin")
