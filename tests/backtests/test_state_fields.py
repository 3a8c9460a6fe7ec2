from pathlib import Path

import numpy as np

from backtests.profile import load_profile
from backtests.state_fields import StateField, state_fields
from indicators.kernel import new_states
from strategies.flow.groups import asset_dtype

INNER = np.dtype([("value", "f8"), ("count", "i8")])
RECORD = np.dtype(
    [
        ("total", "f8"),
        ("parts", INNER, (2,)),
        ("grid", "i8", (2, 3)),
        ("flag", "i1"),
        ("pad", "i1", (7,)),
        ("last", INNER),
    ]
)


def test_paths_are_those_that_one_would_write() -> None:
    """Nested fields with dots, elements in brackets, in the order of the record."""
    assert state_fields(RECORD) == {
        "total": StateField(0, np.dtype("f8")),
        "parts[0].value": StateField(1, np.dtype("f8")),
        "parts[0].count": StateField(2, np.dtype("i8")),
        "parts[1].value": StateField(3, np.dtype("f8")),
        "parts[1].count": StateField(4, np.dtype("i8")),
        "grid[0][0]": StateField(5, np.dtype("i8")),
        "grid[0][1]": StateField(6, np.dtype("i8")),
        "grid[0][2]": StateField(7, np.dtype("i8")),
        "grid[1][0]": StateField(8, np.dtype("i8")),
        "grid[1][1]": StateField(9, np.dtype("i8")),
        "grid[1][2]": StateField(10, np.dtype("i8")),
        # the bytes between are no word
        "last.value": StateField(12, np.dtype("f8")),
        "last.count": StateField(13, np.dtype("i8")),
    }


def test_what_is_not_in_a_whole_word_has_no_path() -> None:
    """Numbers of another size, and those that lie across two words, could not be read as a word."""
    assert state_fields(np.dtype([("small", "f4"), ("across", "f8"), ("rest", "f4"), ("whole", "f8")])) == {
        "whole": StateField(2, np.dtype("f8"))
    }


def test_every_number_of_an_asset_can_be_named(lively: Path) -> None:
    """Its record has nothing but whole words, and each has one path."""
    dtype = asset_dtype(load_profile(lively).flow)
    found = state_fields(dtype)
    assert sorted(field.word for field in found.values()) == list(range(dtype.itemsize // 8))


def test_a_path_leads_to_its_number(lively: Path) -> None:
    """What is written to the record by name stands in the word that the path names."""
    dtype = asset_dtype(load_profile(lively).flow)
    found = state_fields(dtype)
    states = new_states(dtype)
    states["samples"][0] = 7
    states["markets"][0][2]["cvd"]["delta"] = -1.5
    states["technical"][0]["rsi"]["value"] = 61.25
    states["bands_bps"][0][1] = 10.0
    words = states.view(np.int64)
    for path, expected in {
        "samples": 7,
        "markets[2].cvd.delta": -1.5,
        "technical.rsi.value": 61.25,
        "bands_bps[1]": 10.0,
        "markets[1].cvd.delta": 0.0,
    }.items():
        word, kind = found[path]
        assert words[word : word + 1].view(kind)[0] == expected
