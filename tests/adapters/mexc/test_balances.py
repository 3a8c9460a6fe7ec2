"""Money from queries and pushes that overtake each other."""

from decimal import Decimal

from adapters.mexc.balances import AssetBook
from adapters.mexc.schemas.private_account import AssetRow


def asset(available: str, frozen: str = "0", margin: str = "0", currency: str = "USDT") -> AssetRow:
    return AssetRow(
        currency=currency,
        available_balance=Decimal(available),
        frozen_balance=Decimal(frozen),
        position_margin=Decimal(margin),
    )


def test_total_is_free_and_locked() -> None:
    book = AssetBook()
    assert book.take(asset("7.5", "1.25", "2.3"), 1)
    (balance,) = book.balances()
    assert (str(balance.free), str(balance.locked), str(balance.total)) == (
        "7.50000000 USDT",
        "3.55000000 USDT",
        "11.05000000 USDT",
    )


def test_older_row_is_not_taken() -> None:
    """A push that comes late, or a query that was asked before a push."""
    book = AssetBook()
    assert book.take(asset("5"), 10)
    assert not book.take(asset("9"), 9)
    assert book.balances()[0].free.as_decimal() == 5
    assert book.ts_ms == 10


def test_answer_counts_unless_a_push_has_overtaken_it() -> None:
    """Asked after the last push it is newer, even if the venue's clock was set back; else the times decide."""
    book = AssetBook()
    book.take(asset("5"), 1_000)
    asked = book.pushes
    book.take_answer(asset("6"), 400, asked)
    assert book.balances()[0].free.as_decimal() == 6
    assert book.take(asset("7"), 500)
    book.take_answer(asset("4"), 499, asked)
    assert book.balances()[0].free.as_decimal() == 7


def test_digits_beyond_the_currencys_are_rounded_once() -> None:
    """11 decimal places on the wire, 8 in Nautilus: free and locked still add up to the total."""
    book = AssetBook()
    book.take(asset("32.80984793658", "0.000000004", "0.000000004"), 1)
    (balance,) = book.balances()
    assert balance.total.as_decimal() == balance.free.as_decimal() + balance.locked.as_decimal()
    assert balance.free.as_decimal() == Decimal("32.80984794")


def test_currencies_without_money_are_left_out_and_new_ones_are_made() -> None:
    book = AssetBook()
    book.take(asset("0", currency="BTC"), 1)
    book.take(asset("3", currency="NEWCOIN"), 1)
    assert [balance.currency.code for balance in book.balances()] == ["NEWCOIN"]
