"""What a snapshot says of resting liquidity, as walls that targets can aim at. Pure."""

from decimal import Decimal
from typing import Protocol

from strategies.targets import Source, Wall

MAGNET_STRENGTH = Decimal(1)
"""Of a magnet, in median levels, as walls are measured: a magnet has no size of its own, so it weighs least."""


class Named(Protocol):
    """A snapshot, by feature."""

    def __getitem__(self, name: str) -> float: ...


def walls_of(snapshot: Named, mid: Decimal, reach_bps: float) -> tuple[Wall, ...]:
    """The nearest proven wall and the strongest magnet of either side, about a venue's `mid`.

    The flow measures them on the lead market, in bps of its price; venues hold the same levels but for their basis, so
    they are taken at the same distances. A magnet at `reach_bps` (how far levels are read) means that there is none.
    """
    found: list[Wall] = []
    for side, sign in (("bid", -1), ("ask", 1)):
        wall, strength = snapshot[f"{side}_wall_bps"], snapshot[f"{side}_wall_strength"]
        if strength > 0:
            found.append(Wall(_at(mid, sign, wall), Decimal(repr(strength))))
        magnet = snapshot[f"{side}_magnet_bps"]
        if 0 < magnet < reach_bps:
            found.append(Wall(_at(mid, sign, magnet), MAGNET_STRENGTH, Source.MAGNET))
    return tuple(found)


def seen_to(snapshot: Named, mid: Decimal, side: int, reach_bps: float) -> Decimal | None:
    """The farthest price on the way of a trade (`side` +1: above) up to which walls are known: the nearest wall, behind
    which none is told, or the reach of the levels. None where no walls are known."""
    name = "ask" if side > 0 else "bid"
    wall, strength = snapshot[f"{name}_wall_bps"], snapshot[f"{name}_wall_strength"]
    if not strength >= 0:
        return None
    return _at(mid, side, wall if strength > 0 else reach_bps)


def _at(mid: Decimal, sign: int, bps: float) -> Decimal:
    return mid * (1 + sign * Decimal(repr(bps)) / 10_000)
