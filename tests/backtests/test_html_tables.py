from backtests.html_tables import cell, grid, listing, pairs, scrolling


def test_cells_in_words() -> None:
    """A dash for what is not known, four digits below 1, two decimals above, other things as they are."""
    values = (None, 0.123456, -0.5, 1234.567, 7, "text", False)
    assert [cell(value) for value in values] == ["-", "0.1235", "-0.5", "1,234.57", "7", "text", "False"]


def test_pairs_and_grids() -> None:
    """Two columns of what and how much; rows by name with the columns of the first."""
    assert pairs("run", {"rows": 2}) == "<table><tr><th>run</th><th></th></tr><tr><td>rows</td><td>2</td></tr></table>"
    assert grid("by", {"x": {"n": 1, "r": None}, "y": {"n": 2, "r": 0.5}}) == (
        "<table><tr><th>by</th><th>n</th><th>r</th></tr>"
        "<tr><td>x</td><td>1</td><td>-</td></tr><tr><td>y</td><td>2</td><td>0.5</td></tr></table>"
    )


def test_a_listing_of_texts_is_read_from_the_left() -> None:
    """It has a class of its own, and a box to scroll in."""
    table = listing(("what",), [("tripped",)], texts=True)
    assert table == "<table class=texts><tr><th>what</th></tr><tr><td>tripped</td></tr></table>"
    assert scrolling(table) == f"<div class='scrolling'>{table}</div>"


def test_all_words_are_escaped() -> None:
    """Names, heads and values."""
    for table in (pairs("<a>", {"<b>": "<c>"}), grid("<a>", {"<b>": {"<c>": "<d>"}}), listing(("<a>",), [("<b>",)])):
        assert not any(f"<{letter}>" in table for letter in "abcd")
