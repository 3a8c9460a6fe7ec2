"""How payloads are damaged: values and types turned bad, keys lost, doubled and renamed, bytes flipped."""

import json
import random
from typing import Any

BAD_TOKENS = [
    "null", "true", "false", "0", "-0", "-1", "1", "1.0", "0.1", "1e400", "-1e400", "1e-400", "1E+13", "7.548E+4",
    "1e999999999999", "9007199254740993", "18446744073709551616", "9" * 40, "9" * 5000, "0." + "0" * 60 + "1", '""',
    '"NaN"', '"Infinity"', '"-inf"', '"sNaN"', '"1e9999999"', '"x"', '"\\ud800"', '"\\u0000"', '"٣"', '"0x10"',
    "[]", "{}", "[[]]", "[null]", "[1,2,3]", '{"a":1}', '"' + "y" * 300 + '"', "253402300800000",
    "176187779567135", "18446744073710", "-9223372036854775809", '"\\u5e01_USDT"', '" "', "NaN", "Infinity",
    "-Infinity", "+1", "01", "1.", ".5", "1e", "0x10", "1_000", "'1'", "undefined", "[" * 3_000, "[" * 400 + "]" * 400,
    '{"a":' * 300 + "1" + "}" * 300, '"1_000"', '" 1"', '"1\\n"', '"１"', '"1e5"', "1E-16", "1E-17", "-1E-9",
    "99999999999999.5",
]  # fmt: skip
"""Texts that have broken parsers, in and out of JSON: raw, because Python would not write some of them."""
_MARK = "\u0001token"


def damaged(text: str, rng: random.Random) -> bytes:
    """A payload with a few things wrong: bad values, swapped types, missing and doubled keys, or bytes."""
    choice = rng.random()
    if choice < 0.8:
        value = json.loads(text)
        tokens: list[str] = []
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            value = _damage_value(value, rng, tokens)
        out = json.dumps(value, ensure_ascii=rng.random() < 0.5, separators=(",", ":"))
        for number, token in enumerate(tokens):
            out = out.replace(json.dumps(f"{_MARK}{number}."), token)
        raw = out.encode(errors="surrogatepass")
        return raw if choice < 0.72 else damaged_bytes(raw, rng)
    if choice < 0.9:
        return _doubled_key(text, rng).encode(errors="surrogatepass")
    return damaged_bytes(text.encode(errors="surrogatepass"), rng)


def damaged_bytes(raw: bytes, rng: random.Random) -> bytes:
    """Bytes flipped, cut out, doubled or put in; or the end cut off; or something before or behind."""
    data = bytearray(raw)
    whole = rng.random()
    if whole < 0.1:
        return bytes(data[: rng.randrange(len(data) + 1)])
    if whole < 0.15:
        return rng.choice((b"\xef\xbb\xbf", b" ", b"\x00", b"[")) + raw
    if whole < 0.2:
        return raw + rng.choice((b"\x00", b"}", b" ", b"{}", b","))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.randint(1, 8))
        kind = rng.randrange(4)
        if kind == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 1:
            del data[at:end]
        elif kind == 2:
            data[at:at] = data[at:end] * rng.randint(1, 3)
        else:
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 4)))
    return bytes(data)


def _damage_value(value: Any, rng: random.Random, tokens: list[str]) -> Any:
    """One change somewhere inside."""
    if isinstance(value, dict) and value and rng.random() < 0.93:
        key = "data" if "data" in value and rng.random() < 0.7 else rng.choice(list(value))
        draw = rng.random()
        if draw < 0.1:
            return {k: v for k, v in value.items() if k != key}
        if draw < 0.13:
            return {(str(k).upper() if k == key else k): v for k, v in value.items()}
        return value | {key: _damage_value(value[key], rng, tokens)}
    if isinstance(value, list) and value and rng.random() < 0.93:
        at = rng.randrange(len(value))
        draw = rng.random()
        if draw < 0.07:
            return value[:at] + value[at + 1 :]
        if draw < 0.14:
            return value + value[at:]
        if draw < 0.18:
            return value[::-1]
        return [*value[:at], _damage_value(value[at], rng, tokens), *value[at + 1 :]]
    if rng.random() < 0.3:
        return _other_type(value, rng)
    if isinstance(value, int | float) and not isinstance(value, bool) and rng.random() < 0.5:
        return _other_number(value, rng, tokens)
    tokens.append(rng.choice(BAD_TOKENS))
    return f"{_MARK}{len(tokens) - 1}."


def _other_type(value: Any, rng: random.Random) -> Any:
    """The same as something else: a number as text, text as a list, one row for many, or within another object."""
    if isinstance(value, bool) or value is None:
        return rng.choice((0, 1, "true", "null", [], {}))
    if isinstance(value, int | float):
        return rng.choice((str(value), f"{value:.3f}", f"{value:e}", [value], bool(value), {"value": value}))
    if isinstance(value, str):
        return rng.choice(([value], {value: value}, len(value), value.swapcase(), value * 2, value[:-1]))
    if isinstance(value, list):
        return rng.choice(
            (value[0] if value else None, {"resultList": value}, {str(at): v for at, v in enumerate(value)}, [value])
        )
    return rng.choice(([value], [[k, v] for k, v in value.items()], list(value.values()), list(value)))


def _other_number(value: float, rng: random.Random, tokens: list[str]) -> Any:
    """A number near it or far from it, spelled in any way that JSON allows."""
    text = rng.choice(
        (f"{value}{rng.randrange(10)}", f"-{value}", f"{value}e{rng.randint(-30, 30)}", f"{value}E+{rng.randint(0, 9)}",
         f"{value}00000000000000000001", f"{int(value)}.{rng.randrange(10**9)}", str(int(value) + rng.choice((-1, 1))),
         f"{int(value)}" + "0" * rng.randint(1, 25), f"{value}".replace(".", ""))
    )  # fmt: skip
    tokens.append(text)
    return f"{_MARK}{len(tokens) - 1}."


def _doubled_key(text: str, rng: random.Random) -> str:
    """A key that comes twice in an object, the second time with another value: which one counts is not defined."""
    places = [at for at, character in enumerate(text) if character == "{"]
    keys = [part.split('"')[-2] for part in text.split('":')[:-1]]
    if not places or not keys:
        return text
    at = rng.choice(places) + 1
    return f'{text[:at]}"{rng.choice(keys)}":{rng.choice(BAD_TOKENS)},{text[at:]}'
