"""What the venue lists: instruments, reasons, and what changes from reading to reading."""

from decimal import Decimal
from typing import Any

import msgspec

from adapters.mexc.contracts import ContractFees
from adapters.mexc.listing import Listing, split_rows
from adapters.mexc.schemas.public_rest import ContractDetail
from tests.adapters.mexc.recorded_payloads import FIXTURES, needs_fixtures
from tests.adapters.mexc.small_contracts import NOW, detail, wire


def reply(*contracts: ContractDetail | bytes) -> bytes:
    return b"[" + b",".join(c if isinstance(c, bytes) else wire(c) for c in contracts) + b"]"


def ids(instruments: list[Any]) -> list[str]:
    return [instrument.raw_symbol.value for instrument in instruments]


def test_tradable_contracts_become_instruments_and_others_reasons() -> None:
    """Each exclusion can be listed."""
    listing = Listing()
    change = listing.take_all(
        reply(
            detail("BTC_USDT"),
            detail("ETH_USDT", state=4),
            detail("SOL_USDT", api_allowed=False),
            detail("XRP_USDT", price_unit=Decimal(0)),
            b'{"symbol":"DOGE_USDT"}',
            b'{"strange":1}',
        ),
        NOW,
    )
    assert ids(change.added) == ["BTC_USDT"]
    assert (change.changed, change.gone) == ([], {})
    assert listing.exclusions == {
        "ETH_USDT": "state 4: not enabled",
        "SOL_USDT": "apiAllowed is false: web and app only",
        "XRP_USDT": "cannot be read: detail: priceUnit: XRP_USDT: 0 must be above 0",
        "DOGE_USDT": "cannot be read: detail: baseCoin: required field is missing",
        "unnamed": "cannot be read: detail: symbol: required field is missing",
    }


def test_an_unchanged_reading_changes_nothing() -> None:
    """No new objects for the engine."""
    listing = Listing()
    rows = reply(detail("BTC_USDT"), detail("ETH_USDT", state=4))
    listing.take_all(rows, NOW)
    change = listing.take_all(rows, NOW + 1)
    assert (change.added, change.changed, change.gone) == ([], [], {})


def test_a_changed_contract_size_is_a_new_definition() -> None:
    """contractSize can change while a contract is listed."""
    listing = Listing()
    listing.take_all(reply(detail()), NOW)
    change = listing.take_all(reply(detail(contract_size=Decimal("0.001"))), NOW + 1)
    assert ids(change.changed) == ["BTC_USDT"]
    assert str(listing.instruments["BTC_USDT"].multiplier) == "0.001"
    assert listing.instruments["BTC_USDT"].ts_init == NOW + 1


def test_delisting_is_noticed_once_and_the_instrument_stays() -> None:
    """It leaves the list: orders and positions may still refer to it, so it is kept and marked."""
    listing = Listing()
    listing.take_all(reply(detail("BTC_USDT"), detail("ETH_USDT")), NOW)
    change = listing.take_all(reply(detail("BTC_USDT")), NOW + 1)
    assert change.gone == {"ETH_USDT": "not listed any more"}
    assert ids(change.changed) == ["ETH_USDT"]
    assert listing.instruments["ETH_USDT"].info["excluded"] == "not listed any more"
    assert listing.exclusions == {"ETH_USDT": "not listed any more"}
    assert listing.take_all(reply(detail("BTC_USDT")), NOW + 2).gone == {}


def test_a_contract_that_is_paused_and_comes_back() -> None:
    """Its trading ends with a reason, and begins again without one."""
    listing = Listing()
    listing.take_all(reply(detail()), NOW)
    assert listing.take_all(reply(detail(state=4)), NOW).gone == {"BTC_USDT": "state 4: not enabled"}
    change = listing.take_all(reply(detail()), NOW)
    assert (ids(change.changed), change.gone, listing.exclusions) == (["BTC_USDT"], {}, {})
    assert listing.instruments["BTC_USDT"].info["excluded"] is None


def test_a_relisted_contract() -> None:
    """Gone and listed again with the same definition."""
    listing = Listing()
    listing.take_all(reply(detail()), NOW)
    listing.take_all(reply(), NOW)
    change = listing.take_all(reply(detail()), NOW)
    assert (ids(change.changed), listing.exclusions) == (["BTC_USDT"], {})
    assert listing.instruments["BTC_USDT"].info["excluded"] is None


def test_a_push_keeps_what_it_does_not_say() -> None:
    """``push.contract`` has no apiAllowed: what was known holds."""
    listing = Listing()
    listing.take_all(reply(detail()), NOW)
    change = listing.take_push(detail(api_allowed=None, max_vol=Decimal(7), limit_max_vol=None), NOW)
    assert (ids(change.changed), change.gone) == (["BTC_USDT"], {})
    assert str(listing.instruments["BTC_USDT"].max_quantity) == "7"
    assert listing.instruments["BTC_USDT"].info["limitMaxVol"] == "2500000"
    assert listing.take_push(detail("NEW_USDT", api_allowed=None), NOW).added == []


def test_a_push_that_pauses() -> None:
    """Trading ends at once."""
    listing = Listing()
    listing.take_all(reply(detail()), NOW)
    assert listing.take_push(detail(api_allowed=None, state=3), NOW).gone == {"BTC_USDT": "state 3: not enabled"}


def test_one_asked_for_by_name_is_there_even_if_excluded() -> None:
    """For a position in a contract that may not be traded any more."""
    listing = Listing()
    listing.take_all(reply(detail(state=4)), NOW)
    assert listing.instruments == {}
    change = listing.take_one(wire(detail(state=4)), NOW)
    assert ids(change.added) == ["BTC_USDT"]
    assert change.added[0].info["excluded"] == "state 4: not enabled"


def test_two_contracts_of_one_id() -> None:
    """The first keeps it; the other has its reason."""
    listing = Listing()
    listing.take_all(reply(detail("BTC_USDT"), detail("BTCU_SDT")), NOW)
    assert list(listing.instruments) == ["BTC_USDT"]
    assert listing.exclusions == {"BTCU_SDT": "its id BTCUSDT-PERP.MEXC is that of BTC_USDT"}


def test_fees_of_the_account() -> None:
    """They replace the schedule's, and stay over the next reading."""
    listing = Listing()
    fees = ContractFees(Decimal("0.0001"), Decimal("0.0002"), "account")
    assert listing.set_fees("BTC_USDT", fees, NOW) is None
    listing.take_all(reply(detail()), NOW)
    assert listing.instruments["BTC_USDT"].taker_fee == Decimal("0.0002")
    other = ContractFees(Decimal(0), Decimal(0), "account")
    made = listing.set_fees("BTC_USDT", other, NOW)
    assert made is not None
    assert (made.taker_fee, made.info["feeSource"]) == (0, "account")


@needs_fixtures
def test_rows_of_both_shapes() -> None:
    """A list without a symbol, an object with one."""
    recorded = msgspec.json.decode((FIXTURES / "rest_public_contract_detail_btc_usdt.json").read_bytes())["data"]
    text = msgspec.json.encode(recorded)
    assert split_rows(text) == [text]
    assert split_rows(b"[" + text + b", " + text + b"]") == [text, text]
    listing = Listing()
    listing.take_all(text, NOW)
    assert list(listing.instruments) == ["BTC_USDT"]
