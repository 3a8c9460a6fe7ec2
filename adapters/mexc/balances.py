"""The money of the account, from queries and pushes that may overtake each other."""

from decimal import Decimal

from nautilus_trader.model.objects import AccountBalance, Money

from adapters.mexc.schemas.private_account import AssetRow
from adapters.mexc.symbols import currency


class AssetBook:
    """The newest row of every currency that was ever held."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[int, AssetRow]] = {}

    def take(self, row: AssetRow, ts_ms: int) -> bool:
        """A row of this time (venue, UNIX ms); False when a newer one is known already."""
        newest, _ = self._rows.get(row.currency, (0, None))
        if ts_ms < newest:
            return False
        self._rows[row.currency] = ts_ms, row
        return True

    @property
    def ts_ms(self) -> int:
        """Time of the newest row."""
        return max((ts_ms for ts_ms, _ in self._rows.values()), default=0)

    def balances(self) -> list[AccountBalance]:
        """Totals, and what of them is locked by orders and positions. Currencies without money are left out.

        The total is what is available, frozen and held as margin, because pushes carry neither cash nor equity.
        """
        return [_balance(row) for _, row in self._rows.values() if _has_money(row)]


def _has_money(row: AssetRow) -> bool:
    return any((row.available_balance, row.frozen_balance, row.position_margin))


def _balance(row: AssetRow) -> AccountBalance:
    money = currency(row.currency)
    free = Money(row.available_balance, money)
    locked = Money(row.frozen_balance + row.position_margin, money)
    return AccountBalance(total=Money(_sum(free, locked), money), locked=locked, free=free)


def _sum(free: Money, locked: Money) -> Decimal:
    total: Decimal = free.as_decimal() + locked.as_decimal()
    return total
