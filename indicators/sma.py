"""Simple moving average: the mean of :mod:`indicators.rolling_moments`, which does not drift."""

import numpy.typing as npt

from indicators.kernel import Floats
from indicators.rolling_moments import RollingMoments


class Sma:
    """Plain mean of the last `period` values (at least 2)."""

    def __init__(self, period: int) -> None:
        self._moments = RollingMoments(period)
        self.update = self._moments.update

    @property
    def value(self) -> float:
        """The mean in the unit of the input, NaN until initialised."""
        return self._moments.value

    @property
    def initialized(self) -> bool:
        """True once `period` values were seen."""
        return self._moments.initialized

    def update_many(self, xs: npt.ArrayLike) -> Floats:
        """Take a column of values, return the mean after each: the same bits as `update` one by one."""
        return self._moments.update_many(xs)[0]
