"""Run a local venue: ``python adapters/loopback/serve.py mexc --symbols 150 --seed 1 --port 8700``"""

import os
import sys

if __name__ == "__main__":  # run as a script: import from the project's root, not from this folder
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120

import asyncio
import contextlib
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from adapters.loopback.faults import Fault, Faults
from adapters.loopback.feed.events import Feed
from adapters.loopback.feed.synthetic import SyntheticFeed
from adapters.loopback.mexc.local import LOCALHOST, LocalMexc
from catalog.ledger import CatalogError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)
out = Console(soft_wrap=True, highlight=False, markup=False)
errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)


@app.callback()
def serve() -> None:
    """Local venues that speak real wire protocols. Everything in them is simulated; nothing leaves this machine."""


@app.command()
def mexc(
    catalog: Annotated[Path | None, typer.Option(help="Play the MEXC perpetuals of this catalog.")] = None,
    warm_up_minutes: Annotated[int, typer.Option(help="Of the catalog: minutes that are history already.")] = 0,
    symbols: Annotated[int, typer.Option(help="Without a catalog: how many invented markets.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the invented markets and of the faults.")] = 0,
    rate: Annotated[float, typer.Option(help="Events a second of each invented market.")] = 4.0,
    speed: Annotated[float, typer.Option(help="Seconds of the feed in a real second.")] = 1.0,
    balance: Annotated[float, typer.Option(help="USDT of the account.")] = 100_000.0,
    fault: Annotated[list[str] | None, typer.Option(help="NAME=PROBABILITY, for example LOST_ACK=0.01.")] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = LOCALHOST,
    port: Annotated[int, typer.Option(help="0: any free one.")] = 8700,
) -> None:
    """MEXC contracts: REST and WebSocket on one port, until interrupted.

    Exit code 2: bad input, or the port is taken.
    """
    try:
        feed = SyntheticFeed(symbols, seed=seed, rate=rate) if catalog is None else _catalog(catalog, warm_up_minutes)
        faults = Faults(seed)
        faults.rates(dict(_rate(text) for text in fault or []))
        venue = LocalMexc(
            feed, speed=speed, deposits={"USDT": Decimal(str(balance))}, faults=faults, host=host, port=port
        )
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_run(venue))
    except (CatalogError, ValueError, OSError) as error:
        errors.print(f"error: {error}")
        raise typer.Exit(2) from None


def _catalog(root: Path, warm_up_minutes: int) -> Feed:
    from adapters.loopback.feed.catalog import CatalogFeed  # Nautilus, which it needs, takes seconds to load

    return CatalogFeed(root, warm_up_minutes=warm_up_minutes)


async def _run(venue: LocalMexc) -> None:
    async with venue:
        out.print(f"rest    {venue.rest_url}\nsocket  {venue.ws_url}\nkey     {venue.api_key}")
        out.print(f"secret  {venue.api_secret} (of this local venue; it opens nothing else)")
        await asyncio.Event().wait()


def _rate(text: str) -> tuple[Fault, float]:
    """Raises ValueError for what is no fault with a number."""
    name, _, number = text.partition("=")
    if name not in Fault.__members__:
        raise ValueError(f"fault {name!r} is unknown: choose from {', '.join(Fault.__members__)}")
    return Fault[name], float(number)


if __name__ == "__main__":
    app()
