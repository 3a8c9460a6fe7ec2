"""Replies of private endpoints that come in more than one shape: lists or pages of rows, and ids of new orders."""

from types import GenericAlias
from typing import cast

import msgspec

from adapters.mexc.schemas.decoding import decode
from adapters.mexc.schemas.private import CreateReply
from adapters.mexc.wire_numbers import id_text


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    result_list: msgspec.Raw


def decode_rows[R](payload: bytes, row: type[R], channel: str) -> list[R]:
    """The rows of a list, or of a page: some endpoints are documented as the one and answer with the other."""
    if payload.lstrip()[:1] == b"{":
        payload = bytes(decode(payload, _Page, channel).result_list)
    return decode(payload, cast(type[list[R]], GenericAlias(list, (row,))), channel)


def decode_new_id(payload: bytes, channel: str) -> CreateReply:
    """The answer to a new order: an object today; a bare id from older endpoints and for trigger orders."""
    if payload.lstrip()[:1] == b"{":
        return decode(payload, CreateReply, channel)
    bare: str | int = decode(payload, cast(type[str], str | int), channel)
    return CreateReply(order_id=id_text(bare, channel, "data"))
