"""One at a time for each name."""

import asyncio

import pytest

from adapters.mexc.turns import Turns


def test_one_at_a_time_of_a_name_in_the_order_of_asking() -> None:
    turns: Turns[str] = Turns()
    seen: list[str] = []

    async def work(name: str, word: str) -> None:
        async with turns.of(name):
            seen.append(f"{word} begins")
            await asyncio.sleep(0)
            seen.append(f"{word} ends")

    async def story() -> None:
        await asyncio.gather(work("x", "first"), work("x", "second"), work("y", "other"))

    asyncio.run(story())
    assert [what for what in seen if "other" not in what] == [
        "first begins", "first ends", "second begins", "second ends",
    ]  # fmt: skip
    assert seen.index("other begins") < seen.index("first ends")


def test_names_are_forgotten_when_nobody_holds_them() -> None:
    """Also after an exception."""
    turns: Turns[str] = Turns()

    async def story() -> None:
        async with turns.of("x"):
            assert "x" in turns
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(story())
    assert "x" not in turns
