"""Lead and lag: which of two price streams moves first, from prices that come at different times.

The covariance of A's returns with B's k steps later is that of Hayashi and Yoshida (Bernoulli 11, 2005), shifted as in
Hoffmann, Rosenbaum and Yoshida (Bernoulli 19, 2013): over every pair of a return of A, moved k steps on, and a return
of B whose intervals overlap, the sum of the products. An interval runs from one price of a stream to its next, so a
stream that prints rarely does not seem to lag for it, as it does when each price is held until the next and both are
sampled. Times are rounded to a fixed grid, of which a step keeps the last price, and steps are weighted exponentially.

With rho(k) the correlation (the covariance over the root of both streams' sums of squared returns), S(A) the sum of
rho(k)^2 for k = 1 to `lags`, and S(B) the same with A and B exchanged:

    score = (S(A) - S(B)) / (S(A) + S(B) + noise)

in [-1, 1]: positive when A leads. S(A) / S(B) is the lead-lag ratio (Huth and Abergel, High frequency lead/lag
relationships, Journal of Empirical Finance 26, 2014). Streams that have nothing to do with each other would score
anything between -1 and 1, so the denominator holds `NOISE` times what both sums are expected to be for them: with f the
share of steps in which a stream has a price, 2 lags (1/f(A) + 1/f(B) - 1) / span.

A lead shorter than the streams' intervals shows weakly, because the same returns then overlap at positive and negative
shifts. Within a step the busier stream's last price is the later one, which is worth up to half a step of lead to it:
choose a step that is short against the leads looked for.

While either stream is silent for more than `stale` steps, the grid stands still and the score is NaN; then it starts
anew at the current prices, with what was learnt before. The prices of the instant at which it starts are where it
starts from: however often they are told, they are no price of a step.
"""

import math

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, Ints, State, States, entry, kernel, new_states
from indicators.parameters import float_column, int_column, same_length, whole

A, B = 0, 1
"""The streams."""

NOISE = 3.0
"""Multiple of the expected noise in the denominator."""


def lead_lag_dtype(lags: int, stale: int) -> np.dtype[np.void]:
    """Return the state's layout for leads up to `lags` and silences up to `stale` steps; each pair is compiled anew."""
    room = 1 << (whole("lags", lags) + whole("stale", stale)).bit_length()
    return np.dtype(
        [
            ("score", "f8"),  # as of the last read
            ("lead_steps", "i8"),  # shift of the largest correlation, positive when A leads; as of the last read
            ("step_ns", "i8"),
            ("stale", "i8"),  # longest silence of a stream, steps
            ("span", "i8"),
            ("log_decay", "f8"),  # of the weights, a step
            ("decay", "f8"),
            ("last_price", "f8", (2,)),  # of A and of B, NaN before the first
            ("last_ns", "i8", (2,)),
            ("has_price", "i8", (2,)),  # 1 once a price has come in the step being filled
            ("reference", "f8", (2,)),  # prices at which the grid started: the last up to that instant
            ("start_ns", "i8"),  # when the grid started
            ("end_ns", "i8"),  # of the step being filled; 0 while the grid stands still
            ("steps", "i8"),  # completed ones: the number of the step being filled
            ("quiet", "i8"),  # completed ones since the last with a price, as of which the sums below are
            ("last_step", "i8", (2,)),  # with a price
            # at the end of step number k at k & (room - 1), relative to the reference; the room is a power of two
            ("log_prices", "f8", (2, room)),
            ("priced", "i8", (2, room)),  # 1 where that step had a price
            ("weights", "f8", (2,)),  # of the steps with a price
            ("squares", "f8", (2,)),  # of returns
            ("products", "f8", (2, lags + 1)),  # of a stream's returns with the other's 0 to `lags` steps later
        ]
    )


def configure_lead_lag(state: State, step_ns: int, stale: int, span: int = 3000) -> None:
    """Prepare a fresh record: a grid of `step_ns`, weights 2 / (span + 1); scores begin after `span` steps.

    `stale` is that of the layout, or less. Raises ValueError where it is more than there is room for.
    """
    longest = state["log_prices"].shape[1] - state["products"].shape[1]
    if whole("stale", stale) > longest:
        raise ValueError(f"stale is {stale}, but the layout has room for {longest} steps")
    state["step_ns"] = whole("step_ns", step_ns)
    state["span"] = whole("span", span, minimum=2)
    state["stale"] = stale
    state["log_decay"] = math.log1p(-2.0 / (span + 1))
    state["decay"] = math.exp(state["log_decay"])
    state["last_price"] = math.nan
    state["score"] = math.nan


@kernel
def update_lead_lag(state: State, ts: int, stream: int, price: float) -> None:
    """Take a price (finite, positive) of stream A or B at `ts` (UNIX ns), also when it equals the last.

    One that is older than the step being filled counts in that step.
    """
    advance_lead_lag(state, ts)
    take_price(state, ts, stream, price)


@kernel
def take_price(state: State, ts: int, stream: int, price: float) -> None:
    """:func:`update_lead_lag` for a caller who has seen to it that no step ends at or before `ts`.

    Of the prices of a stream in a step, the last alone makes a difference, unless the grid stands still or starts.
    """
    state.last_price[stream] = price
    state.last_ns[stream] = max(ts, state.last_ns[stream])
    if state.end_ns == 0:
        other = 1 - stream
        silence = ts - state.last_ns[other]
        if not math.isnan(state.last_price[other]) and silence <= state.stale * state.step_ns:
            _start(state, ts)
    elif ts == state.start_ns and state.has_price[stream] == 0:
        state.reference[stream] = price
    else:
        state.has_price[stream] = 1


@kernel
def _start(state: State, ts: int) -> None:
    state.start_ns = ts
    state.end_ns = ts - ts % state.step_ns + state.step_ns
    for s in range(2):
        state.reference[s] = state.last_price[s]
        state.last_step[s] = state.steps - 1
        state.has_price[s] = 0
        for k in range(state.log_prices.shape[1]):
            # before the start the price stood still and was known at every step
            state.log_prices[s, k] = 0.0
            state.priced[s, k] = 1


@kernel
def advance_lead_lag(state: State, ts: int) -> None:
    """Complete the steps that end at or before `ts` (UNIX ns): O(lags) for one with a price, O(1) for a quiet one.

    However long nothing comes, no more than `stale` steps are completed.
    """
    if state.end_ns == 0 or ts < state.end_ns:
        return
    due = 1 if ts - state.end_ns < state.step_ns else (ts - state.end_ns) // state.step_ns + 1
    latest_a = state.steps if state.has_price[A] == 1 else state.last_step[A]
    latest_b = state.steps if state.has_price[B] == 1 else state.last_step[B]
    # until one of the streams is stale
    possible = min(latest_a, latest_b) + state.stale - state.steps + 1
    completed = min(due, possible)
    state.end_ns = state.end_ns + completed * state.step_ns if due <= possible else 0
    if completed > 0 and state.has_price[A] + state.has_price[B] > 0:
        _complete_priced(state)
        completed -= 1
    for _ in range(completed):
        _complete_quiet(state)


@kernel
def _complete_quiet(state: State) -> None:
    mask = state.log_prices.shape[1] - 1
    slot = state.steps & mask
    before = (state.steps - 1) & mask
    for s in range(2):
        state.log_prices[s, slot] = state.log_prices[s, before]
        state.priced[s, slot] = 0
    state.steps += 1
    state.quiet += 1


@kernel
def _complete_priced(state: State) -> None:
    mask = state.log_prices.shape[1] - 1
    slot = state.steps & mask
    before = (state.steps - 1) & mask
    kept = state.decay if state.quiet == 0 else math.exp((state.quiet + 1) * state.log_decay)
    for s in range(2):
        log_price = state.log_prices[s, before]
        if state.has_price[s] == 1:
            log_price = math.log(state.last_price[s] / state.reference[s])
        change = log_price - state.log_prices[s, before]
        state.log_prices[s, slot] = log_price
        state.priced[s, slot] = state.has_price[s]
        state.weights[s] = kept * state.weights[s] + state.has_price[s]
        state.squares[s] = kept * state.squares[s] + change * change
    _add_products(state, A, kept)
    _add_products(state, B, kept)
    for s in range(2):
        if state.has_price[s] == 1:
            state.last_step[s] = state.steps
            state.has_price[s] = 0
    state.steps += 1
    state.quiet = 0


@kernel
def _add_products(state: State, leader: int, kept: float) -> None:
    mask = state.log_prices.shape[1] - 1
    step = state.steps
    ahead = state.log_prices[leader]
    behind = state.log_prices[1 - leader]
    priced = state.priced[leader]
    products = state.products[leader]
    ahead_from = state.last_step[leader]
    behind_from = state.last_step[1 - leader]
    slot = step & mask
    before = (step - 1) & mask
    ahead_return = ahead[slot] - ahead[before]
    behind_return = behind[slot] - behind[before]
    if behind_return == 0.0 and ahead_return == 0.0:
        for shift in range(len(products)):
            products[shift] *= kept
        return
    covering = ahead[slot]
    behind_before = behind[before]
    for shift in range(len(products)):
        # returns next to each other add up, so those that overlap an interval are one difference of prices.
        # the follower's interval that ends now overlaps the leader's, as far as complete, from the last price at or
        # before its own beginning to the first at or after its end, both `shift` ago
        at = (step - shift) & mask
        if priced[at] == 1:
            covering = ahead[at]
        added = behind_return * (covering - ahead[(behind_from - shift) & mask])
        # the leader's interval that ends now overlaps the follower's that were complete before
        added += ahead_return * (behind_before - behind[min(ahead_from + shift, step - 1) & mask])
        products[shift] = kept * products[shift] + added


@kernel
def read_lead_lag(state: State, ts: int) -> float:
    """Complete the steps that end at or before `ts` (UNIX ns) and return the score. O(lags).

    NaN until `span` steps are complete, while a stream is stale, and where one has not moved at all.
    """
    advance_lead_lag(state, ts)
    state.score = math.nan
    state.lead_steps = 0
    scale = state.squares[A] * state.squares[B]
    if state.end_ns == 0 or state.steps < state.span or not scale > 0.0:
        return math.nan
    lags = state.products.shape[1] - 1
    together = 0.5 * (state.products[A, 0] + state.products[B, 0])
    largest_a, largest_b = together * together, together * together
    steps_a, steps_b = 0, 0
    sum_a, sum_b = 0.0, 0.0
    for k in range(1, lags + 1):
        square_a = state.products[A, k] * state.products[A, k]
        square_b = state.products[B, k] * state.products[B, k]
        sum_a += square_a
        sum_b += square_b
        if square_a > largest_a:
            largest_a = square_a
            steps_a = k
        if square_b > largest_b:
            largest_b = square_b
            steps_b = k
    if largest_a > largest_b:
        state.lead_steps = steps_a
    elif largest_b > largest_a:
        state.lead_steps = -steps_b
    # the weights of all steps sum to (span + 1) / 2
    fading = 2.0 * math.exp(state.quiet * state.log_decay) / (state.span + 1)
    share_a = fading * state.weights[A]
    share_b = fading * state.weights[B]
    noise = NOISE * 2.0 * lags / state.span * (1.0 / share_a + 1.0 / share_b - 1.0) * scale
    state.score = (sum_a - sum_b) / (sum_a + sum_b + noise)
    score: float = state.score
    return score


@kernel
def update_lead_lag_single(states: States, ts: int, stream: int, price: float) -> None:
    update_lead_lag(states[0], ts, stream, price)


@kernel
def read_lead_lag_single(states: States, ts: int) -> float:
    return read_lead_lag(states[0], ts)


@kernel
def update_lead_lag_many(
    states: States, i: int, ts: Ints, streams: Ints, prices: Floats, at: Ints, out: Floats
) -> None:
    state = states[i]
    k = 0
    for n in range(len(at)):
        while k < len(ts) and ts[k] <= at[n]:
            update_lead_lag(state, ts[k], streams[k], prices[k])
            k += 1
        out[n] = read_lead_lag(state, at[n])
    while k < len(ts):
        update_lead_lag(state, ts[k], streams[k], prices[k])
        k += 1


class LeadLag:
    """Which of two price streams leads, on a grid of `step_ns`, with leads of up to `lags` steps.

    `update_a` and `update_b` take prices, `read` returns the score at a time; the properties show the last read.
    """

    def __init__(
        self, step_ns: int = 100_000_000, lags: int = 10, span: int = 3000, stale_ns: int = 5_000_000_000
    ) -> None:
        whole("step_ns", step_ns)
        if whole("stale_ns", stale_ns) < step_ns:
            raise ValueError(f"stale_ns is {stale_ns}, less than a step of {step_ns}: every stream would be stale")
        self._states = new_states(lead_lag_dtype(lags, stale_ns // step_ns))
        configure_lead_lag(self._states[0], step_ns, stale_ns // step_ns, span)
        self._update = entry(update_lead_lag_single, self._states, 0, 0, 0.0)
        self._read = entry(read_lead_lag_single, self._states, 0)

    @property
    def value(self) -> float:
        """The score of the last read, -1 to 1, positive when A leads; NaN until initialised and while stale."""
        return float(self._states["score"][0])

    @property
    def lead_ns(self) -> float:
        """The shift of the largest correlation at the last read, positive when A leads; NaN where the score is NaN."""
        if math.isnan(self.value):
            return math.nan
        return float(self._states["lead_steps"][0] * self._states["step_ns"][0])

    @property
    def initialized(self) -> bool:
        """True once `span` steps are complete."""
        return bool(self._states["steps"][0] >= self._states["span"][0])

    def update_a(self, ts: int, price: float) -> None:
        """Take a price of stream A (UNIX ns; finite, positive)."""
        self._update(self._states, ts, A, price)

    def update_b(self, ts: int, price: float) -> None:
        """Take a price of stream B, as `update_a`."""
        self._update(self._states, ts, B, price)

    def read(self, ts: int) -> float:
        """Return the score at `ts` (UNIX ns)."""
        return self._read(self._states, ts)

    def update_many(
        self, ts: npt.ArrayLike, streams: npt.ArrayLike, prices: npt.ArrayLike, at: npt.ArrayLike
    ) -> Floats:
        """Take columns of prices (streams: 0 for A, 1 for B) and read at the ascending times `at`.

        Each read follows the prices up to its time: the same bits as `update_a`, `update_b` and `read`. Raises
        ValueError for a stream that does not exist.
        """
        times, stream, price, reads = int_column(ts), int_column(streams), float_column(prices), int_column(at)
        same_length(ts=times, streams=stream, prices=price)
        unknown = stream[(stream != A) & (stream != B)]
        if len(unknown):
            raise ValueError(f"stream is {unknown[0]}: give {A} for A or {B} for B")
        out = np.empty(len(reads))
        update_lead_lag_many(self._states, 0, times, stream, price, reads, out)
        return out
