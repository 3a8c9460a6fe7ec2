"""The turnstile on a real event loop: limits so short that nothing has to be waited for long."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from adapters.mexc.endpoints import Endpoint, Method, Priority, RateLimit
from adapters.mexc.errors import MexcNotSentError
from adapters.mexc.rate_limits import RequestQueue
from adapters.mexc.request_gate import RequestGate


def endpoint(name: str, count: int = 100, priority: Priority = Priority.MARKET) -> Endpoint:
    return Endpoint(name, Method.GET, f"/{name}", RateLimit(count, 0.05), priority, private=False, repeatable=True)


READ = endpoint("read")
CANCEL = endpoint("cancel", priority=Priority.CANCEL)


def run[T](coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(coroutine, 20))


def test_waiting_cancels_overtake_waiting_reads() -> None:
    """One place: when it is free, the cancel goes first though it came last."""

    async def story() -> list[str]:
        gate = RequestGate(RequestQueue(max_in_flight=1, reserved_for_cancels=0))
        order: list[str] = []

        async def ask(which: Endpoint) -> None:
            async with gate.turn(which, 10):
                order.append(which.name)
                await asyncio.sleep(0)

        async with gate.turn(READ, 10):
            waiting = [asyncio.create_task(ask(which)) for which in (READ, READ, CANCEL)]
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        return order

    assert run(story()) == ["cancel", "read", "read"]


def test_all_pass_in_the_end() -> None:
    """Thirty requests under a limit of ten a window: the timer wakes those that wait."""

    async def story() -> int:
        gate = RequestGate()
        slow = endpoint("slow", count=10)

        async def ask() -> int:
            async with gate.turn(slow, 10):
                return 1

        return sum(await asyncio.gather(*(ask() for _ in range(30))))

    assert run(story()) == 30


def test_who_waits_too_long_is_told_that_nothing_was_sent() -> None:
    """The place goes to the next, and the window is not charged."""

    async def story() -> None:
        gate = RequestGate(RequestQueue(max_in_flight=1, reserved_for_cancels=0))
        async with gate.turn(READ, 10):
            with pytest.raises(MexcNotSentError, match="waited 0 s for its turn"):
                async with gate.turn(READ, 0):
                    pytest.fail("its turn must not come")
        async with gate.turn(READ, 10):
            pass

    run(story())


def test_cancelled_waiters_and_holders_free_their_place() -> None:
    """Whether a task is cancelled in line or in its turn, the next one goes."""

    async def story() -> str:
        gate = RequestGate(RequestQueue(max_in_flight=1, reserved_for_cancels=0))

        async def hold() -> None:
            async with gate.turn(READ, 10):
                await asyncio.sleep(60)

        holder, waiter = asyncio.create_task(hold()), asyncio.create_task(hold())
        await asyncio.sleep(0.01)
        waiter.cancel()
        holder.cancel()
        await asyncio.gather(holder, waiter, return_exceptions=True)
        async with gate.turn(READ, 10):
            return "went"

    assert run(story()) == "went"


def test_a_pause_holds_and_ends_by_itself() -> None:
    """Of one endpoint, and of all."""

    async def story() -> list[str]:
        gate = RequestGate()
        order: list[str] = []

        async def ask(which: Endpoint) -> None:
            async with gate.turn(which, 10):
                order.append(which.name)

        gate.pause(READ, 0.05)
        tasks = [asyncio.create_task(ask(READ)), asyncio.create_task(ask(CANCEL))]
        await asyncio.gather(*tasks)
        gate.pause_all(0.05)
        await ask(CANCEL)
        return order

    assert run(story()) == ["cancel", "read", "cancel"]
