"""The frame around every message of the contract socket."""

import msgspec

from adapters.mexc.wire_numbers import WireMillis


class Frame(msgspec.Struct, frozen=True, gc=False):
    """Any message of the contract socket: routed by `channel`, then by `symbol`; `data` is read once it is known what.

    `ts` is the time of the push; one documented channel has it as text, another not at all.
    """

    channel: str
    symbol: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"")
    ts: WireMillis | None = None
