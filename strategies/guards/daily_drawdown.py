"""The day's loss has a limit, and reaching it ends the session."""

from collections.abc import Mapping

from strategies.guards.config import DailyDrawdownSettings
from strategies.guards.guard import Guard
from strategies.guards.halt import ALL, Halt
from strategies.guards.inputs import GuardInputs, known_money
from strategies.guards.memory import GuardMemory

DAILY_DRAWDOWN = "daily_drawdown"


class DailyDrawdown(Guard):
    """Locks everything out when equity is at or below ``reference × (1 - max_fraction)``."""

    name = DAILY_DRAWDOWN

    def __init__(self, settings: DailyDrawdownSettings) -> None:
        self._settings = settings

    def judge(self, inputs: GuardInputs, memory: GuardMemory) -> Mapping[str, Halt | None]:
        by_peak = self._settings.reference == "peak"
        reference = memory.peak if by_peak else memory.day_start
        equity = known_money(inputs.equity)
        if equity is None or reference is None:
            return {}
        if equity > reference * (1 - self._settings.max_fraction):
            return {ALL: None}
        lost, limit = (reference - equity) / reference, self._settings.max_fraction
        what = "the day's peak" if by_peak else "the day's start"
        reason = f"equity {equity} is {lost:.2%} below {what} {reference}: the limit is {limit:.2%}"
        return {ALL: self._halt(reason, ALL, lockout=True)}
