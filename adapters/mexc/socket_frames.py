"""The frames that ask MEXC's contract socket for something: one symbol a frame."""

import msgspec

_encode = msgspec.json.encode


def subscribe_frame(channel: str, **parameters: str | bool | int) -> bytes:
    """``{"method": "sub.<channel>", "param": {...}, "gzip": false}``; `channel` as in ``sub.deal``: "deal"."""
    return _encode({"method": f"sub.{channel}", "param": parameters, "gzip": False})


def unsubscribe_frame(channel: str, **parameters: str | bool | int) -> bytes:
    """The counterpart of `subscribe_frame`; the venue does not confirm it."""
    return _encode({"method": f"unsub.{channel}", "param": parameters})


def filter_frame(filters: list[dict[str, str | list[str]]]) -> bytes:
    """``personal.filter``: which private events are pushed; an empty list is all of them. The last one sent holds."""
    return _encode({"method": "personal.filter", "param": {"filters": filters}})
