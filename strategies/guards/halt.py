"""A Halt: entries are stopped, why, where and until when."""

from dataclasses import dataclass

ALL = "all"
"""The scope of a halt that stops every entry."""

DAY_NS = 86_400_000_000_000
SECOND_NS = 1_000_000_000


def asset_scope(asset: str) -> str:
    """The scope of one asset on every venue."""
    return f"asset:{asset}"


def venue_scope(venue: str) -> str:
    """The scope of one venue with every asset."""
    return f"venue:{venue}"


@dataclass(frozen=True)
class Halt:
    """What a guard answers when something is wrong.

    `scope` is ``all``, ``asset:BTC`` or ``venue:BINANCE``. `until` is UNIX ns: entries are allowed again exactly then.
    None means until somebody clears it where `lockout` is set, and until the cause is gone where it is not. A lockout
    also asks the strategy to cancel and close everything in its scope. `guard` names the rule. Raises ValueError for
    an unknown scope, an empty reason or guard, and a lockout with an end: those end by being cleared.
    """

    reason: str
    scope: str
    until: int | None
    lockout: bool
    guard: str

    def __post_init__(self) -> None:
        kind, _, name = self.scope.partition(":")
        if self.scope != ALL and (kind not in ("asset", "venue") or not name or name != name.strip()):
            raise ValueError(f"scope {self.scope!r} is unknown: use all, asset:BTC or venue:BINANCE")
        for field, text in (("reason", self.reason), ("guard", self.guard)):
            if not text.strip():
                raise ValueError(f"a halt needs a {field}, got {text!r}")
        if self.lockout and self.until is not None:
            raise ValueError(f"a lockout has no end of its own, got until {self.until}: it holds until it is cleared")

    def covers(self, asset: str, venue: str) -> bool:
        """Whether an entry of this asset on this venue is in its scope."""
        return self.scope in (ALL, asset_scope(asset), venue_scope(venue))

    def holds(self, now_ns: int) -> bool:
        """Whether its own end, if it has one, is still to come at `now_ns` (UNIX ns)."""
        return self.until is None or now_ns < self.until
