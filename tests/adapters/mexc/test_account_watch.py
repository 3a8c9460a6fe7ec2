"""Questions at the right time: none is lost because another is under way."""

import asyncio
from typing import Any, cast

import pytest

from adapters.mexc import account_watch
from adapters.mexc.account_watch import AccountOwner, AccountWatch
from adapters.mexc.errors import MexcUnavailableError
from adapters.mexc.order_room import OrderRoom
from adapters.mexc.position_check import PositionCheck


class Nobody:
    """An owner, fills and a room in which nothing happens."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: []


def watch(room: Any) -> AccountWatch:
    made = AccountWatch(
        cast(OrderRoom, room), cast(AccountOwner, Nobody()), cast(PositionCheck, Nobody()), refresh_seconds=600.0
    )
    made.state = account_watch.StreamState.LIVE
    return made


class Room:
    def __init__(self) -> None:
        self.fills = Nobody()
        self.warnings: list[str] = []

    def now_ms(self) -> int:
        return 0

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_watch, "TICK_SECONDS", 0.001)
    monkeypatch.setattr(account_watch, "SOONEST_REFRESH_SECONDS", 0.005)


async def _until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


def test_reconnection_during_a_refresh_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one under way may have asked before what was missed: it does not count for the new line."""
    begun: list[asyncio.Event] = []

    async def slowly(_: AccountWatch) -> None:
        begun.append(asyncio.Event())
        await begun[-1].wait()

    monkeypatch.setattr(AccountWatch, "refresh", slowly)

    async def story() -> None:
        it = watch(Room())
        running = asyncio.create_task(it.run())
        await _until(lambda: len(begun) == 1)
        it.on_stream_up()
        for _ in range(50):
            await asyncio.sleep(0.001)
        assert len(begun) == 1
        begun[0].set()
        await _until(lambda: len(begun) == 2)
        running.cancel()
        await it.stop()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MexcUnavailableError("the line is dead"), "refresh: the line is dead"),
        (KeyError("bug"), "refresh: error of the adapter's own: KeyError('bug')"),
    ],
)
def test_refresh_that_fails_is_told_and_tried_again(
    error: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it failed by."""
    tries: list[int] = []

    async def fails(_: AccountWatch) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise error

    monkeypatch.setattr(AccountWatch, "refresh", fails)

    async def story() -> None:
        room = Room()
        it = watch(room)
        running = asyncio.create_task(it.run())
        await _until(lambda: len(tries) == 2)
        running.cancel()
        await it.stop()
        assert room.warnings == [told]

    asyncio.run(story())


def test_an_error_on_a_tick_does_not_end_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and the next tick comes."""
    ticks: list[int] = []

    def ask(_: AccountWatch) -> None:
        ticks.append(1)
        if len(ticks) == 1:
            raise ValueError("bug")

    monkeypatch.setattr(AccountWatch, "ask", ask)

    async def story() -> None:
        room = Room()
        it = watch(room)
        running = asyncio.create_task(it.run())
        await _until(lambda: len(ticks) == 3)
        running.cancel()
        await it.stop()
        assert room.warnings[0] == "account watch: error of the adapter's own: ValueError('bug')"

    asyncio.run(story())
