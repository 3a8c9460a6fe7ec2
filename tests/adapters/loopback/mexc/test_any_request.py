"""Whatever a client sends, the venue answers in its own words or refuses, and stays sound."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.loopback.matching.audit import problems
from adapters.loopback.matching.order import Refused, Side
from adapters.loopback.mexc.calls import Call, Route
from adapters.loopback.mexc.codes import ApiError
from adapters.loopback.mexc.rest_server import ROUTES
from adapters.loopback.mexc.signature import ApiKey
from adapters.loopback.mexc.venue import Venue
from adapters.loopback.mexc.wire import encode, success
from tests.adapters.loopback.mexc.client import SYMBOL, listing

NAMES = (
    "symbol", "price", "vol", "side", "type", "orderType", "openType", "leverage", "externalOid", "positionMode",
    "reduceOnly", "stpMode", "stopLossPrice", "takeProfitPrice", "triggerPrice", "triggerType", "executeCycle", "trend",
    "orderId", "positionId", "stopPlanOrderId", "volType", "lossTrend", "amount", "positionType", "page_num",
    "page_size", "states", "start_time", "order_ids", "interval", "limit", "isEnabled",
)  # fmt: skip
numbers = st.one_of(
    st.integers(-2, 12),
    st.sampled_from([90_000, 99_999, 100_000, 110_000, 10**30]),
    st.sampled_from([Decimal("0.1"), Decimal("1E+300"), Decimal("1E-300"), Decimal("99999.95")]),
)
texts = st.sampled_from(["", SYMBOL, "btc_usdt", "NOPE", "1", "100000.0", "NaN", "Infinity", "1e999999999", "ADD", "ä"])
leaves = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.one_of(leaves, st.lists(leaves, max_size=2), st.dictionaries(st.sampled_from(NAMES), leaves, max_size=2))
likely = {
    "symbol": st.just(SYMBOL),
    "side": st.integers(1, 4),
    "type": st.integers(1, 6),
    "orderType": st.integers(1, 6),
    "openType": st.integers(1, 2),
    "leverage": st.just(10),
    "vol": st.integers(1, 9),
    "triggerType": st.integers(1, 2),
    "executeCycle": st.integers(1, 3),
    "trend": st.integers(1, 3),
}
fields = st.builds(
    lambda good, wild: good | wild,
    st.fixed_dictionaries({}, optional=likely | {"price": st.sampled_from([90_000, 100_000, 110_000])}),
    st.dictionaries(st.sampled_from(NAMES), values, max_size=3),
)
whole = st.fixed_dictionaries(likely, optional={"price": st.sampled_from([90_000, 100_000, 110_000])})
spoilt = st.builds(lambda good, name, wild: good | {name: wild}, whole, st.sampled_from(NAMES), values)
bodies = st.one_of(whole, spoilt, spoilt, fields, st.lists(st.one_of(fields, leaves), max_size=2), leaves)


def venue() -> Venue:
    made = Venue([listing()])
    made.add_key(ApiKey("key", "secret"), {"USDT": Decimal(1_000)})
    rows = [(side, Decimal(100_000) - side * n, Decimal(20)) for side in Side for n in range(1, 5)]
    made.exchange.feed_book(SYMBOL, rows)
    made.exchange.feed_prices(SYMBOL, fair=Decimal(100_000))
    return made


def answer(venue: Venue, route: Route, body: Any) -> None:
    """Call a handler as the server does; what it returns can be written."""
    path = {"symbol": SYMBOL, "limit": "5", "order_id": "1", "external_oid": "x", "currency": "USDT"}
    query = {key: str(value) for key, value in body.items()} if isinstance(body, dict) else {}
    try:
        data = route.handler(Call(venue, path, query, body, "main"))
    except (ApiError, Refused):
        return
    encode(success(data, with_data=type(data) is not object))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
@settings(max_examples=30, deadline=None)
@given(scripts=st.lists(bodies, min_size=1, max_size=4))
def test_no_request_is_beyond_an_answer(route: Route, scripts: list[Any]) -> None:
    """Nothing but refusals is raised, and contracts and money add up afterwards."""
    made = venue()
    create = next(r for r in ROUTES if r.path.endswith("order/create"))
    opening = {"symbol": SYMBOL, "side": 1, "type": 5, "vol": 3, "openType": 1, "leverage": 10}
    answer(made, create, opening)
    for body in scripts:
        answer(made, route, body)
    assert not problems(made.exchange)
