"""What the parts of a model.json have in common: frozen, strict, finite, bounded."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

type Floats = NDArray[np.float64]

MAX_FEATURES = 512
MAX_KNOTS = 10_000  # of an isotonic calibrator
MAX_QUANTILES = 1_001  # of a feature's table

Number = Annotated[float, Field(ge=-1e15, le=1e15)]  # far from where differences and squares overflow
PositiveNumber = Annotated[float, Field(gt=0, le=1e15)]
PerFeature = Annotated[tuple[Number, ...], Field(min_length=1, max_length=MAX_FEATURES)]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]  # SHA-256, hexadecimal


class Record(BaseModel):
    """A frozen part of a model.json: no unknown key, no value of another type, no number that is not finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
