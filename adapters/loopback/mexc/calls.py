"""What a REST call is: its route, and what its handler gets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.loopback.matching.account import Account
from adapters.loopback.mexc.codes import PARAMETER, ApiError
from adapters.loopback.mexc.limits import Limit
from adapters.loopback.mexc.venue import Venue
from adapters.loopback.mexc.wire import integer

NO_DATA = object()
"""Returned by handlers whose answers carry no `data` key."""


@dataclass(frozen=True)
class Call:
    """One request, checked and decoded."""

    venue: Venue
    path: Mapping[str, str]
    query: dict[str, Any]
    body: Any = None
    account_id: str = ""

    @property
    def account(self) -> Account:
        return self.venue.exchange.accounts[self.account_id]

    @property
    def fields(self) -> dict[str, Any]:
        """The body of a POST that must be an object. Raises ApiError otherwise."""
        if not isinstance(self.body, dict):
            raise ApiError(PARAMETER, "the body must be an object")
        return self.body

    @property
    def items(self) -> list[Any]:
        """The body of a POST that must be an array. Raises ApiError otherwise."""
        if not isinstance(self.body, list):
            raise ApiError(PARAMETER, "the body must be an array")
        return self.body


@dataclass(frozen=True)
class Route:
    """An endpoint. `permission` is the code that a key without it is refused with, 0 for public ones."""

    method: str
    path: str
    handler: Callable[[Call], Any]
    limit: Limit
    permission: int = 0


def page[T](call: Call, rows: list[T], largest: int = 100) -> list[T]:
    """The rows of the page that was asked for (`page_num` from 1, `page_size`)."""
    number, size = page_of(call, largest)
    return rows[(number - 1) * size : number * size]


def paginated(call: Call, rows: list[Any], largest: int = 100) -> dict[str, Any]:
    """The page with the counts around it."""
    number, size = page_of(call, largest)
    return {
        "pageSize": size,
        "totalCount": len(rows),
        "totalPage": -(-len(rows) // size),
        "currentPage": number,
        "resultList": page(call, rows, largest),
    }


def page_of(call: Call, largest: int) -> tuple[int, int]:
    """(number, size). Raises ApiError for what is no page."""
    number = integer(call.query, "page_num") or 1
    size = integer(call.query, "page_size") or 20
    if number < 1 or size < 1:
        raise ApiError(PARAMETER, "page_num and page_size begin at 1")
    return number, min(size, largest)
