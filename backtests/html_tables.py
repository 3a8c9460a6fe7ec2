"""Tables of the report as HTML. Everything that comes from data is escaped."""

import html
from collections.abc import Mapping, Sequence
from typing import Any


def pairs(name: str, rows: Mapping[str, Any]) -> str:
    """A table of two columns: what, and how much."""
    body = "".join(f"<tr><td>{html.escape(str(k))}</td><td>{html.escape(cell(v))}</td></tr>" for k, v in rows.items())
    return f"<table><tr><th>{html.escape(name)}</th><th></th></tr>{body}</table>"


def grid(name: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
    """A table of rows by name, with the columns of the first."""
    columns = list(next(iter(rows.values())))
    return listing([name, *columns], [[k, *(r[c] for c in columns)] for k, r in rows.items()])


def listing(head: Sequence[str], rows: Sequence[Sequence[Any]], *, texts: bool = False) -> str:
    """A table of rows as they come; `texts`: of words, which are read from the left."""
    top = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell(v))}</td>" for v in row) + "</tr>" for row in rows)
    return f"<table{' class=texts' if texts else ''}><tr>{top}</tr>{body}</table>"


def scrolling(table: str) -> str:
    """A table in a box of its own, which scrolls where the table is larger."""
    return f"<div class='scrolling'>{table}</div>"


def cell(value: Any) -> str:
    """A value in words: a dash for what is not known, four digits of a number below 1, two decimals of others."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}"
    return str(value)
