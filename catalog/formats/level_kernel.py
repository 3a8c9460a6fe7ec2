"""Levels of a depth message, straight from its bytes to exact numbers.

A JSON parser makes a list and two texts of every level, and that is what reading a capture then costs. Here one
compiled pass takes the arrays as venues write them, ``"b":[["63943.90","0.100"],...],"a":[...]``, and nothing else:
whatever is odd about a message (a space, a sign, an exponent, a key between the arrays, a price of zero, more digits
than 63 bits hold) makes it hand the whole message back, to be read by the parser that can say what is wrong with it.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from catalog.formats.csv_kernel import DECIMAL_PLACES, DOT, POWERS, ZERO, to_words
from indicators.kernel import entry, kernel

type LevelWords = npt.NDArray[np.int64]
"""Levels as 128-bit integers in units of 1e-16, shape (levels, 2, 2): price and size, each a low and a high word.

Prices are above zero, sizes are not below it.
"""

QUOTE, COMMA, OPEN, CLOSE, END = 34, 44, 91, 93, 125
BETWEEN = tuple(b',"a":')
ROOM_LEVELS = 1 << 16
MOST_DIGITS = 18
SHORTEST_LEVEL = len(b'["1","1"]')
BIDS = b',"b":['  # where the arrays of a message begin, its other fields being before them


@kernel
def scan_number(message: bytes, i: int) -> tuple[int, int, int]:
    """Mantissa, decimal places, and the position of the quotation mark after it; -1 if it is an odd one.

    What stops it for certain, as all kernels here, is the END of the message: numbers and levels do not have that byte.
    """
    begin = i
    mantissa = 0
    places = 0
    points = 0
    while True:
        byte = message[i]
        digit = byte - ZERO
        if 0 <= digit <= 9:
            mantissa = mantissa * 10 + digit
            places += points
        elif byte == DOT and points == 0 and i > begin:
            points = 1
        else:
            break
        i += 1
    digits = i - begin - points
    is_plain = 1 <= digits <= MOST_DIGITS and places <= DECIMAL_PLACES and message[i - 1] != DOT and byte == QUOTE
    return mantissa, places, i if is_plain else -1


@kernel
def scan_side(message: bytes, i: int, words: npt.NDArray[np.uint64], level: int) -> tuple[int, int]:
    """Read the array at `i` into the rows from `level` on: the next free row, and the byte after the array or -1."""
    if message[i] != OPEN:
        return level, -1
    i += 1
    if message[i] == CLOSE:
        return level, i + 1
    while message[i] == OPEN and message[i + 1] == QUOTE:
        price, price_places, i = scan_number(message, i + 2)
        if i < 0 or price == 0 or message[i + 1] != COMMA or message[i + 2] != QUOTE:
            return level, -1
        size, size_places, i = scan_number(message, i + 3)
        if i < 0 or message[i + 1] != CLOSE:
            return level, -1
        words[level, 0, 0], words[level, 0, 1] = to_words(price, POWERS[DECIMAL_PLACES - price_places])
        words[level, 1, 0], words[level, 1, 1] = to_words(size, POWERS[DECIMAL_PLACES - size_places])
        level += 1
        i += 2
        if message[i] == CLOSE:
            return level, i + 1
        if message[i] != COMMA:
            return level, -1
        i += 1
    return level, -1


@kernel
def scan_levels(message: bytes, i: int, words: npt.NDArray[np.uint64], level: int) -> tuple[int, int, int]:
    """Read ``[bids],"a":[asks]`` at `i` into the rows from `level` on.

    Returns the first row after the bids, the first one after the asks, and the byte after it all or -1. `words` must
    have a row for every level that the message can hold.
    """
    if message[len(message) - 1] != END:
        return 0, 0, -1
    middle, i = scan_side(message, i, words, level)
    if i < 0:
        return 0, 0, -1
    for byte in BETWEEN:
        if message[i] != byte:
            return 0, 0, -1
        i += 1
    end, i = scan_side(message, i, words, middle)
    return middle, end, i


class Cut(NamedTuple):
    """A message in its parts: what is before and after its two arrays of levels, and the levels."""

    head: bytes
    tail: bytes
    bids: LevelWords
    asks: LevelWords


class LevelReader:
    """The kernel, and the room that it writes to: levels stay where they were read, a full room gives way to a new."""

    def __init__(self) -> None:
        self._used = 0
        self._room = np.empty((ROOM_LEVELS, 2, 2), np.uint64)
        self._levels: LevelWords = self._room.view(np.int64)
        self._scan = entry(scan_levels, b"", 0, self._room, 0)

    def cut(self, message: bytes) -> Cut | None:
        """Take the arrays out of a message; None for one that is not of the usual form.

        The message less its arrays has not been looked at and need not be JSON.
        """
        at = message.find(BIDS)
        if at < 0:
            return None
        begin = self._used
        if begin + len(message) // SHORTEST_LEVEL > len(self._room):
            begin = self._used = 0
            self._room = np.empty((max(ROOM_LEVELS, len(message) // SHORTEST_LEVEL), 2, 2), np.uint64)
            self._levels = self._room.view(np.int64)
        middle, end, after = self._scan(message, at + len(BIDS) - 1, self._room, begin)
        if after < 0:
            return None
        self._used = end
        return Cut(message[:at], message[after:], self._levels[begin:middle], self._levels[middle:end])
