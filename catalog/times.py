"""Times as people write them."""

import numpy as np
import pandas as pd


def format_ns(ns: int) -> str:
    """UNIX ns as ``2024-07-18 23:57:01.281597`` UTC."""
    whole, rest = divmod(ns, 1_000_000_000)
    return f"{np.datetime64(whole, 's').item():%Y-%m-%d %H:%M:%S}.{rest // 1000:06d}"


def parse_ns(text: str) -> int:
    """A date or time (ISO 8601, UTC unless it has an offset) as UNIX ns. Raises ValueError naming what is wrong."""
    try:
        time = pd.Timestamp(text)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{text!r} is not a time: write it as 2024-07-18 or 2024-07-18T23:57:00") from error
    if not isinstance(time, pd.Timestamp):  # NaT
        raise ValueError(f"{text!r} is not a time: write it as 2024-07-18 or 2024-07-18T23:57:00")  # noqa: TRY004
    utc = time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")
    try:
        return int(utc.as_unit("ns").value)
    except pd.errors.OutOfBoundsDatetime as error:
        raise ValueError(f"{text!r} is no time that 64-bit nanoseconds hold: give a year from 1678 to 2261") from error
