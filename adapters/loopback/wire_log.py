"""What went over the wire of a local venue: every request with its answer, and every private frame. No keys."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Exchanged:
    """A request and its answer. `status` 0: it was never answered; `fault` says what was done to it, if anything."""

    ts_ms: int
    account: str
    method: str
    path: str
    query: str
    body: str
    status: int
    answer: str
    fault: str = ""


@dataclass(frozen=True)
class Frame:
    """A private frame as it was sent, or withheld by a fault."""

    ts_ms: int
    account: str
    socket: int
    text: str
    fault: str = ""


@dataclass
class WireLog:
    """`entries` is everything in the order of its happening; `connections` counts sockets ever opened."""

    entries: list[Exchanged | Frame] = field(default_factory=list)
    connections: int = 0

    @property
    def exchanged(self) -> list[Exchanged]:
        return [entry for entry in self.entries if isinstance(entry, Exchanged)]

    @property
    def frames(self) -> list[Frame]:
        return [entry for entry in self.entries if isinstance(entry, Frame)]

    def requests(self, path_part: str) -> list[Exchanged]:
        """Those whose path contains `path_part`, oldest first."""
        return [item for item in self.exchanged if path_part in item.path]
