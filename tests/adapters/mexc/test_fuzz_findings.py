"""What fuzzing has found, each as a case of its own: payloads that ended the process, or escaped as other errors."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.mexc.balances import AssetBook
from adapters.mexc.bars import kline_rows
from adapters.mexc.contracts import SCHEDULE_FEES, contract_instrument
from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.schemas.decoding import decode
from adapters.mexc.schemas.private import DealRow, OrderRow, PlanOrderRow
from adapters.mexc.schemas.private_account import AssetRow, PositionRow
from adapters.mexc.schemas.public_rest import Klines
from adapters.mexc.spot_instruments import spot_instrument
from adapters.mexc.wire_numbers import name_text
from tests.adapters.mexc.fuzz_corpus import PRIVATE_FRAMES
from tests.adapters.mexc.fuzz_targets import Targets
from tests.adapters.mexc.small_contracts import NOW, detail
from tests.adapters.mexc.spot_symbols import spot_symbol

NO_NAMES = ["", " ", "\x00", "\x00BTC", "BTC\n", "BTC ", "\ud800", "x" * 65]
ROWS: dict[str, tuple[Any, dict[str, Any]]] = {
    name: (kind, json.loads(PRIVATE_FRAMES[number])["data"])
    for number, (name, kind) in enumerate(
        {"order": OrderRow, "deal": DealRow, "plan": PlanOrderRow, "position": PositionRow, "asset": AssetRow}.items()
    )
}


def read(name: str, **changes: Any) -> Any:
    """A row with some fields changed."""
    kind, row = ROWS[name]
    return decode(json.dumps(row | changes), kind, "push.personal")


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_cannot_be_a_name(name: str) -> None:
    """A zero byte in front of a currency's code ends the process in Nautilus's core, where nothing can catch it."""
    with pytest.raises(MexcPayloadError, match="is not a name"):
        name_text(name, "detail", "baseCoin")
    for field in ("base_coin", "quote_coin", "settle_coin", "symbol"):
        with pytest.raises(MexcPayloadError):
            contract_instrument(msgspec.structs.replace(detail(), **{field: name}), SCHEDULE_FEES, NOW)
    for field in ("symbol", "base_asset", "quote_asset"):
        with pytest.raises(MexcPayloadError):
            spot_instrument(spot_symbol(**{field: name}), NOW)


@pytest.mark.parametrize("name", ["BTC", "币安人生", "1000PEPE", "USD1"])
def test_what_is_a_name(name: str) -> None:
    """In any script: the venue lists such coins."""
    assert name_text(name, "detail", "baseCoin") == name


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("order", "symbol"), ("deal", "symbol"), ("deal", "feeCurrency"), ("plan", "symbol"), ("position", "symbol"),
        ("asset", "currency"),
    ],
)  # fmt: skip
def test_names_of_private_rows(row: str, field: str) -> None:
    for name in ("", "\x00"):
        with pytest.raises(MexcPayloadError, match=f"{field}: .* is not a name"):
            read(row, **{field: name})


@pytest.mark.parametrize("row", ["order", "deal"])
def test_client_order_id_that_nautilus_cannot_hold(row: str) -> None:
    """Beyond ASCII or unprintable it would end the process; none at all is an order of the venue's own page."""
    for oid in ("٣", "\x00", " "):
        with pytest.raises(MexcPayloadError, match=r"externalOid: .* is not a name"):
            read(row, externalOid=oid)
    assert read(row, externalOid="").external_oid == ""
    assert read(row, externalOid=None).external_oid is None


@pytest.mark.parametrize(
    ("row", "field", "least"),
    [
        ("order", "vol", 1), ("order", "dealVol", 0), ("order", "price", 0), ("deal", "vol", 1), ("deal", "price", 1),
        ("plan", "vol", 1), ("plan", "triggerPrice", 1), ("plan", "price", 0), ("position", "holdVol", 0),
    ],
)  # fmt: skip
def test_quantities_and_prices_below_their_least(row: str, field: str, least: int) -> None:
    """They would end as a ValueError of Nautilus's quantity in the middle of a survey."""
    read(row, **{field: least})
    with pytest.raises(MexcPayloadError, match=field):
        read(row, **{field: least - 1})


def test_ids_that_nautilus_cannot_hold() -> None:
    """Its trade ids have 36 characters, of which the maker's mark takes two, and are not blank."""
    assert read("deal", id="7" * 34).id == "7" * 34
    for no_id in ("7" * 35, " ", "7 "):
        with pytest.raises(MexcPayloadError, match=r"id: .* is not an id"):
            read("deal", id=no_id)


def test_quantity_between_steps_is_not_rounded() -> None:
    """The contract has whole ones only: Nautilus would round one and a half without a word."""

    async def story() -> None:
        targets = Targets()
        report = targets.all()["reports"]
        report(PRIVATE_FRAMES[0].encode())
        with pytest.raises(MexcPayloadError, match="finer"):
            report(PRIVATE_FRAMES[0].replace('"vol":10,', '"vol":1.5,').encode())
        await targets.stop()

    asyncio.run(story())


def test_large_balances_add_up() -> None:
    """More digits than a double has: free and locked must be the total to the last place."""
    book = AssetBook()
    book.take(read("asset", availableBalance=92709847936.58, positionMargin=6.7), 1)
    (balance,) = book.balances()
    assert balance.free.as_decimal() == Decimal("92709847936.58")
    assert balance.total.as_decimal() == Decimal("92709847943.78")


def test_sum_of_balances_that_nautilus_cannot_hold() -> None:
    book = AssetBook()
    book.take(read("asset", frozenBalance=9_000_000_000_000, positionMargin=9_000_000_000_000), 1)
    with pytest.raises(MexcPayloadError, match="USDT"):
        book.balances()


def test_price_of_a_bar_with_thousands_of_digits_is_not_written_out() -> None:
    """The error has the field, and no more than the head of the number."""
    columns: dict[str, list[Any]] = {name: [1] for name in ("time", "open", "close", "high", "vol", "amount")}
    klines = decode(msgspec.json.encode(columns | {"low": [msgspec.Raw(b"9" * 5_000)]}), Klines, "kline")
    with pytest.raises(MexcPayloadError, match="kline: price: ") as caught:
        list(kline_rows(klines))
    assert len(str(caught.value)) < 100
