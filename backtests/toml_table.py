"""A TOML file as a validated model: numbers are the decimals that were written, errors name file, keys and values."""

import tomllib
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ValidationError


class TableError(ValueError):
    """A data file cannot be used; the message names the file and what is wrong in it."""


def read_table[Model: BaseModel](path: Path, model: type[Model]) -> Model:
    """`path` as a `model`. Raises TableError naming each key that is wrong, its value and what is expected."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise TableError(f"{path}: is not TOML: {error}") from error
    try:
        return model.model_validate(table)
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc']))} = {e['input']}: {e['msg']}" for e in error.errors()]
        raise TableError(f"{path}: {error.error_count()} keys are wrong\n" + "\n".join(lines)) from error
