"""Frames of the spot socket, written field by field."""


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def deal_bytes(
    price: str = "1.5", quantity: str = "2", side: int = 1, time: int = 5, trade_id: str | None = None
) -> bytes:
    tail = field(5, trade_id) if trade_id is not None else b""
    return field(1, price) + field(2, quantity) + field(3, side) + field(4, time) + tail


def frame_bytes(*deals: bytes, symbol: str = "BTCUSDT") -> bytes:
    return (
        field(1, f"spot@deals@{symbol}")
        + field(3, symbol)
        + field(6, 9)
        + field(314, b"".join(field(1, d) for d in deals))
    )
