"""Lists of the account: page by page, in parts of at most ninety days, each row once."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, cast

import msgspec
import pytest

from adapters.mexc import account_reader
from adapters.mexc.account_reader import SPAN_MS, AccountReader, Span
from adapters.mexc.constants import MexcPlanState
from adapters.mexc.endpoints import Endpoint
from adapters.mexc.errors import MexcOrderNotFoundError, MexcPayloadError
from adapters.mexc.rest import RestClient
from tests.adapters.mexc.rows import T0, deal_row, order_row, plan_row

type Parameters = Mapping[str, Any]
type Answers = Callable[[Endpoint, Parameters], object]

DAY_MS = 86_400_000


class Rest:
    """Answers as a test says, and keeps what it was asked."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.asked: list[Parameters] = []

    async def get(self, endpoint: Endpoint, into: Any, **more: Any) -> Any:
        asked = dict(more.get("parameters") or more.get("path") or {})
        self.asked.append(asked)
        answer = self._answers(endpoint, asked)
        return answer if answer is None or into is not msgspec.Raw else msgspec.Raw(msgspec.json.encode(answer))


def reader(answers: Answers) -> tuple[AccountReader, Rest]:
    rest = Rest(answers)
    return AccountReader(cast(RestClient, rest)), rest


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_reader, "MAX_PAGE_SIZE", 2)


def test_pages_are_read_until_one_is_short() -> None:
    rows = [order_row(str(number)) for number in range(5)]
    it, rest = reader(lambda _, asked: rows[2 * asked["page_num"] - 2 : 2 * asked["page_num"]])
    found = asyncio.run(it.past_orders(Span(T0, T0 + 1)))
    assert [row.order_id for row in found] == ["0", "1", "2", "3", "4"]
    assert [asked["page_num"] for asked in rest.asked] == [1, 2, 3]


def test_row_that_slips_past_between_two_pages_is_found() -> None:
    """Order 0 ends after page 1 was read: order 2 moves to page 1, unseen. A long list is read twice."""
    rows = [order_row(str(number)) for number in range(4)]
    pages = iter([rows[0:2], rows[3:4], rows[1:3], rows[3:4]])
    it, _ = reader(lambda *_: next(pages))
    assert {row.order_id for row in asyncio.run(it.open_orders())} == {"0", "1", "2", "3"}


def test_short_list_is_read_once() -> None:
    it, rest = reader(lambda *_: [order_row()])
    assert len(asyncio.run(it.open_orders())) == len(rest.asked) == 1


def test_waiting_trigger_orders_are_read_twice_too() -> None:
    rows = [plan_row(str(number)) for number in range(3)]
    pages = iter([rows[0:2], [], rows[1:3], []])
    it, _ = reader(lambda *_: next(pages))
    found = asyncio.run(it.plans(Span(T0, T0 + 1), states=(MexcPlanState.UNTRIGGERED,)))
    assert {row.id for row in found} == {"0", "1", "2"}


def test_long_times_are_asked_for_in_parts() -> None:
    """Without a gap and without exceeding what a query may span."""
    span = Span(T0, T0 + 200 * DAY_MS)
    it, rest = reader(lambda *_: [])
    asyncio.run(it.past_orders(span))
    times = [(asked["start_time"], asked["end_time"]) for asked in rest.asked]
    assert (times[0][0], times[-1][1]) == (span.start_ms, span.end_ms)
    assert all(end == start for (_, end), (start, _) in pairwise(times))
    assert all(end - start <= SPAN_MS < 90 * DAY_MS for start, end in times)


def test_fills_are_told_apart_by_order_and_id() -> None:
    """Both sides of a trade with oneself may have one id."""
    rows = [deal_row("7", 1, "1"), deal_row("7", 1, "2"), deal_row("7", 1, "1")]
    it, _ = reader(lambda *_: rows)
    assert len(asyncio.run(it.deals("X_USDT", Span(T0, T0 + 1)))) == 2


def test_unknown_order_is_none() -> None:
    """Said by a code, or by an answer without data."""

    def refuses(endpoint: Endpoint, _: Parameters) -> object:
        raise MexcOrderNotFoundError(endpoint.name, 2040, "no", "no such order")

    for answers in (refuses, lambda *_: None):
        it, _ = reader(answers)
        assert asyncio.run(it.order("1")) is None
        assert asyncio.run(it.order_by_name("X_USDT", "a")) is None


def test_answer_without_what_was_asked_for_is_an_error() -> None:
    """Missing money is not no money."""
    it, _ = reader(lambda *_: None)
    with pytest.raises(MexcPayloadError, match="account/assets"):
        asyncio.run(it.assets())
