"""Connecting is tried again while the venue does not answer, and no longer than stated."""

import asyncio

import pytest

from adapters.mexc import patience
from adapters.mexc.errors import MexcError, MexcKeyError, MexcNotSentError, MexcUnavailableError
from adapters.mexc.patience import CONNECT_ATTEMPTS, until_answered


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "CONNECT_BACKOFF", patience.Backoff(0.001, 0.001))


class Venue:
    """Fails with these, one after the other, and then answers."""

    def __init__(self, *errors: MexcError) -> None:
        self.errors = list(errors)
        self.asked = 0

    async def connect(self) -> None:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)


def test_a_venue_that_comes_back_is_waited_for() -> None:
    venue, told = Venue(MexcUnavailableError("down"), MexcNotSentError("breaker")), []
    asyncio.run(until_answered(venue.connect, told.append))
    assert venue.asked == 3
    assert told == ["not connected yet: down", "not connected yet: breaker"]


def test_one_that_does_not_is_given_up() -> None:
    """With its last error."""
    venue = Venue(*[MexcUnavailableError(str(k)) for k in range(20)])
    with pytest.raises(MexcUnavailableError, match=str(CONNECT_ATTEMPTS - 1)):
        asyncio.run(until_answered(venue.connect, lambda _: None))
    assert venue.asked == CONNECT_ATTEMPTS


def test_what_waiting_does_not_mend_is_raised_at_once() -> None:
    venue = Venue(MexcKeyError("wrong key"))
    with pytest.raises(MexcKeyError):
        asyncio.run(until_answered(venue.connect, lambda _: None))
    assert venue.asked == 1
