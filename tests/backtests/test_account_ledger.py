"""The exact books of an account."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.account_ledger import AccountLedger, FundingPayment, Holding, funding_amount

D = Decimal
UNIT = D("0.00000001")
KEY = ("BTCUSDT-PERP.BINANCE", "Trader-001")


def test_a_position_is_averaged_and_closed_in_parts() -> None:
    """1 at 100 and 1 at 110 cost 105 each: of them 0.5 at 120 makes 7.5, and 1.5 are left."""
    holding = Holding()
    assert holding.fill(D(1), D(100)) == 0
    assert holding.fill(D(1), D(110)) == 0
    assert holding.entry == 105
    assert holding.fill(D("-0.5"), D(120)) == D("7.5")
    assert (holding.size, holding.entry, holding.unrealised(D(100))) == (D("1.5"), 105, D("-7.5"))


def test_a_position_that_turns_begins_anew() -> None:
    """Long 1 at 100, 3 sold at 90: 10 are lost, and short 2 at 90 are open."""
    holding = Holding()
    holding.fill(D(1), D(100))
    assert holding.fill(D(-3), D(90)) == -10
    assert (holding.size, holding.entry, holding.unrealised(D(80))) == (-2, 90, 20)


def test_flat_has_no_entry() -> None:
    """Missing is not zero."""
    with pytest.raises(ValueError, match="flat"):
        _ = Holding().entry


@pytest.mark.parametrize(
    ("size", "rate", "amount"), [("2", "0.0001", "-0.02"), ("-2", "0.0001", "0.02"), ("2", "-0.0003", "0.06")]
)
def test_longs_pay_a_positive_rate(size: str, rate: str, amount: str) -> None:
    """2 coins at a mark of 100; a negative rate pays the longs."""
    assert funding_amount(D(size), D(100), D(rate), UNIT) == D(amount)


def test_funding_is_rounded_to_the_currency() -> None:
    """Nobody pays fractions of the last unit."""
    assert funding_amount(D("0.001"), D("63943.9"), D("0.00001234"), UNIT) == D("-0.00078907")


@given(
    st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 2_000), st.integers(0, 100)), max_size=60),
    st.integers(1, 2_000),
)
def test_money_is_conserved(fills: list[tuple[int, int, int]], mark: int) -> None:
    """Equity is the start, less what was paid for all that was bought and sold, plus what is held, less fees."""
    ledger = AccountLedger(D(1_000))
    cash = Fraction(1_000)
    held = 0
    for size, price, fee in fills:
        ledger.fill(KEY, D(size), D(price), D(fee) / 100)
        cash -= Fraction(size * price) + Fraction(fee, 100)
        held += size
    ledger.pay(FundingPayment(0, *KEY, D(held), D(mark), D(0), D("-1.5")))
    open_profit = sum(h.unrealised(D(mark)) for h in ledger.open_holdings().values())
    equity = ledger.balance + open_profit
    assert abs(Fraction(equity) - (cash + held * mark - Fraction(3, 2))) < Fraction(1, 10**15)
    assert ledger.holdings[KEY].size == held
