"""Measure on a real account what the documentation leaves open: ``python adapters/mexc/smoke.py --symbol DOGE_USDT``

It sends the smallest orders that the contract allows, asks before each experiment, and leaves nothing behind. The key
comes from MEXC_API_KEY and MEXC_API_SECRET. What it finds belongs into ``assumptions.py`` and ``docs/mexc.md``.
"""

import os
import sys

if __name__ == "__main__":  # run as a script: import from the project's root, not from this folder
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120

import asyncio
from collections.abc import Callable
from typing import Annotated

import aiohttp
import typer
from rich.console import Console

from adapters.mexc.constants import REST_URL, SOCKET_URL
from adapters.mexc.credentials import Credentials
from adapters.mexc.errors import MexcKeyError
from adapters.mexc.http_transport import NoConnectionError, NoReplyError
from adapters.mexc.smoke_checks import CHECKS, Bench, Check
from adapters.mexc.smoke_probe import Probe

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
out = Console(soft_wrap=True, highlight=False, markup=False)
errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)

type Consent = Callable[[str], bool]


@app.command()
def smoke(
    symbol: Annotated[str, typer.Option(help="A cheap contract with a busy book.")] = "DOGE_USDT",
    only: Annotated[list[str] | None, typer.Option(help="Names of checks; all of them without this.")] = None,
    rest_url: Annotated[str, typer.Option(help="Plain http for this machine only.")] = REST_URL,
    socket_url: Annotated[str, typer.Option(help="Plain ws for this machine only.")] = SOCKET_URL,
) -> None:
    """Run the experiments one by one. Exit code 2: no key, no contract, or the venue does not answer."""
    names = {check.work.__name__: check for check in CHECKS}
    unknown = [name for name in only or [] if name not in names]
    try:
        if unknown:
            raise ValueError(f"there is no check {', '.join(unknown)}: choose from {', '.join(names)}")
        chosen = [names[name] for name in only] if only else list(CHECKS)
        probe = Probe(rest_url, socket_url, Credentials.from_environment())
        asyncio.run(run(probe, symbol, socket_url, chosen, typer.confirm))
    except (MexcKeyError, ValueError, NoConnectionError, NoReplyError, aiohttp.ClientError) as error:
        errors.print(f"error: {error}")
        raise typer.Exit(2) from None


async def run(probe: Probe, symbol: str, socket_url: str, checks: list[Check], consent: Consent) -> dict[str, str]:
    """Ask and measure; returns what was found, by the check's name."""
    found: dict[str, str] = {}
    async with probe.opened():
        bench = await Bench.of(probe, symbol, socket_url)
        if await bench.held():
            raise ValueError(
                f"{symbol} is held already: choose a contract without a position, its orders are cancelled"
            )
        if await bench.resting():
            raise ValueError(f"{symbol} has orders, which would be cancelled: choose a contract without any")
        for check in checks:
            name = check.work.__name__
            out.print(f"\n{name}: {(check.work.__doc__ or '').strip()}")
            if not consent(await _question(bench, check)):
                continue
            try:
                found[name] = await check.work(bench)
            finally:
                if check.orders:
                    await bench.clear()
            out.print(f"    {found[name]}")
    return found


async def _question(bench: Bench, check: Check) -> str:
    """What is sent, and what it can cost."""
    if not check.orders:
        return "No orders are sent. Go on?"
    size = f"{bench.vol} contracts, about {await bench.notional():.4f} in quote currency, each"
    cost = "it trades: fees and the spread are paid" if check.trades else "it should not trade"
    return f"Sends {check.orders} ({size}; {cost}). Go on?"


if __name__ == "__main__":
    app()
