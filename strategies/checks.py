"""Checks of what a rule is given: the error names the input and its value."""

from decimal import Decimal


def require_side(side: int) -> None:
    """Raise ValueError unless `side` is +1 (long) or -1 (short)."""
    if side not in (1, -1):
        raise ValueError(f"side must be 1 (long) or -1 (short), got {side}")


def require_positive(**values: Decimal) -> None:
    """Raise ValueError, with name and value, for the first that is not a finite number above zero."""
    for name, value in values.items():
        if not value.is_finite() or value <= 0:
            raise ValueError(f"{name} must be positive, got {value}")


def require_not_negative(**values: Decimal) -> None:
    """Raise ValueError, with name and value, for the first that is not a finite number of at least zero."""
    for name, value in values.items():
        if not value.is_finite() or value < 0:
            raise ValueError(f"{name} must be 0 or more, got {value}")


def require_finite(**values: Decimal) -> None:
    """Raise ValueError, with name and value, for the first that is not a finite number."""
    for name, value in values.items():
        if not value.is_finite():
            raise ValueError(f"{name} must be a number, got {value}")


def require_fraction(**values: Decimal) -> None:
    """Raise ValueError, with name and value, for the first that is not a number in [0, 1]."""
    for name, value in values.items():
        if not value.is_finite() or not 0 <= value <= 1:
            raise ValueError(f"{name} must lie in [0, 1], got {value}")
