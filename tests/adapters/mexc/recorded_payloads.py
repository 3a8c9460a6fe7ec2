"""The payload fixtures: REST replies and socket frames, recorded by third parties or documented by the venue."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.mexc.schemas.decoding import decode_any
from adapters.mexc.schemas.frame import Frame

FIXTURES = Path(__file__).parents[3].parent / "shared" / "fixtures" / "mexc"
needs_fixtures = pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="the MEXC payload fixtures are not beside this checkout"
)


def document(name: str) -> Any:
    """A fixture as plain JSON."""
    return json.loads((FIXTURES / f"{name}.json").read_text())


def rest_body(name: str) -> bytes:
    """A whole REST reply."""
    return (FIXTURES / f"{name}.json").read_bytes()


def rest_data(name: str, into: Any) -> Any:
    """What is inside ``data`` of a REST reply, decoded from its text."""

    class Envelope(msgspec.Struct):
        data: msgspec.Raw

    return decode_any(msgspec.json.decode(rest_body(name), type=Envelope).data, into, name)


def frames(name: str) -> list[str]:
    """The texts of frames, numbers spelled as on the wire."""
    return list(document(name))


def frame(name: str, number: int = 0) -> Frame:
    """A frame, its data unread."""
    return msgspec.json.decode(frames(name)[number], type=Frame)


def frame_data(name: str, into: Any, number: int = 0) -> Any:
    """The decoded data of a frame."""
    return decode_any(frame(name, number).data, into, frame(name, number).channel)


def public_names() -> list[str]:
    """All fixtures of public REST and socket payloads."""
    return sorted(path.stem for path in FIXTURES.glob("*_public_*.json")) if FIXTURES.is_dir() else []
