import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.absorption import Absorption, absorption_dtype, configure_absorption, update_absorption_at_log
from indicators.kernel import new_states

NAN = math.nan

SAMPLES = st.lists(
    st.tuples(
        st.integers(-3, 3),  # price change
        st.integers(-9, 9),  # net flow
        st.integers(0, 5),  # other volume
        st.one_of(st.integers(-4, 6), st.none()),  # change of open interest, None where missing
    ),
    min_size=30,
    max_size=70,
)


def columns(rows):
    """Log prices, CVD, cumulative volume and open interest."""
    changes, flows, others, rises = zip(*rows, strict=True)
    interest = 500.0 + np.cumsum([rise or 0 for rise in rises])
    interest[[rise is None for rise in rises]] = NAN
    logs = 5.0 + 0.001 * np.cumsum(changes)
    return logs, np.cumsum(flows) * 1.0, np.cumsum(np.abs(flows) + np.array(others)) * 1.0, interest


def run(logs, cvds, volumes, interests, window=4, span=9, min_count=2):
    """Both scores and kappa after each sample."""
    states = new_states(absorption_dtype(window))
    configure_absorption(states[0], span, min_count)
    out = []
    for row in zip(logs, cvds, volumes, interests, strict=True):
        update_absorption_at_log(states[0], *(float(x) for x in row))
        out.append([states[0][name] for name in ("absorption", "distribution", "kappa")])
    return np.array(out).T


def by_definition(logs, cvds, volumes, interests, window, span, min_count):
    """The scores from whole columns, none of them missing; NaN where kappa is 0 but for rounding."""
    half = window // 2
    flows, changes, rises = (x[window:] - x[:-window] for x in (cvds, logs, interests))
    out = np.full((2, len(logs)), NAN)
    for k in range(2 * window, len(logs)):
        earlier = np.arange(k - 2 * window + 1)
        weights = np.zeros(len(earlier))
        for n in earlier:
            weight = max(2 / (span + 1), 1 / (n + 1))
            weights *= 1 - weight
            weights[n] = weight
        if len(earlier) < min_count:
            continue
        x, y = flows[earlier], changes[earlier]
        variance = weights @ x**2 - (weights @ x) ** 2
        if variance < 1e-9:
            continue
        kappa = (weights @ (x * y) - (weights @ x) * (weights @ y)) / variance
        kappa = max(kappa, 0.25 * (weights @ np.abs(y)) / (weights @ np.abs(x)))
        if abs(kappa) < 1e-9:
            continue
        typical = weights @ np.abs(rises[earlier])
        now = k - window
        opened = rises[now] / (rises[now] + typical) if rises[now] > 0 else 0.0
        for row, sign in enumerate((1, -1)):
            prices, flow, change = sign * logs, sign * flows[now], sign * changes[now]
            expected = -kappa * flow
            out[row, k] = 0.0
            if flow < 0 and expected > 0:
                fall = prices[k - window + 1 : k - half + 1].min() - prices[k - half + 1 : k + 1].min()
                parts = -flow / (volumes[k] - volumes[k - window]), 1 + change / expected, 1 - fall / expected
                out[row, k] = (np.prod(np.clip(parts, 0, 1)) * opened) ** 0.25
    return out


def test_hand_worked():
    """Window 2. Six samples teach that each unit of net flow moves the log price by 1/8 and open interest changes by 8.

    Net flow over the windows that end at samples 2, 3, 4 is +2, -2, +2 with log price changes of +1/4, -1/4, +1/4, so
    kappa = 1/8; open interest changes by +8, -8, +8. The windows of samples 5 and 6 are still in use. At sample 6:
    net flow -2 of a volume of 4, so flow = 1/2 and the expected drop is 1/4; the price is 1/8 lower, so held = 1/2; the
    low of the second half (one sample) is 1/16 below the first's, so floor = 3/4; open interest rose by 8, so opened =
    1/2.
    """
    cvds = [0.0, 0.0, 2.0, -2.0, 4.0, 3.0, 2.0]
    logs = [0.0, 0.0, 0.25, -0.25, 0.5, 0.4375, 0.375]
    volumes = [0.0, 10.0, 20.0, 30.0, 40.0, 42.0, 44.0]
    interests = [100.0, 100.0, 108.0, 92.0, 116.0, 120.0, 124.0]
    absorption, distribution, kappa = run(logs, cvds, volumes, interests, window=2, span=100, min_count=3)
    assert kappa[6] == 1 / 8
    assert np.isnan(absorption[:6]).all()
    assert absorption[6] == pytest.approx((1 / 2 * 1 / 2 * 3 / 4 * 1 / 2) ** 0.25, rel=1e-15)
    assert distribution[6] == 0.0


def trained(window=4):
    """An indicator that has seen flow and price move together, with what its next sample starts from."""
    rng = np.random.default_rng(5)
    indicator = Absorption(window, span=200)
    flows = rng.normal(size=120)
    cvd, volume = np.cumsum(flows), np.cumsum(2 * np.abs(flows))
    interest = 1e4 + np.cumsum(rng.normal(size=120))
    indicator.update_many(np.exp(5 + 0.001 * cvd), cvd, volume, interest)
    return indicator, cvd[-1], volume[-1], interest[-1]


def play(price_per_sample, flow_per_sample, interest_per_sample, samples=4):
    indicator, cvd, volume, interest = trained()
    log_price = 5 + 0.001 * cvd
    for k in range(1, samples + 1):
        indicator.update(
            math.exp(log_price + price_per_sample * k),
            cvd + flow_per_sample * k,
            volume + 1.25 * abs(flow_per_sample) * k,
            interest + interest_per_sample * k,
        )
    return indicator.value, indicator.distribution


def test_what_each_part_asks_for():
    """Selling that meets a floor while positions open is absorption; take any part away and it is not."""
    assert play(0.0, -2.0, 5.0)[0] > 0.9
    assert play(0.0, -2.0, 5.0)[1] == 0.0
    # the price falls as far as usual, positions are closed, takers buy
    assert play(-0.0021, -2.0, 5.0)[0] == 0.0
    assert play(0.0, -2.0, -5.0)[0] == 0.0
    assert play(0.0, 2.0, 5.0)[0] == 0.0
    # the mirror is distribution
    assert play(0.0, 2.0, 5.0)[1] == pytest.approx(play(0.0, -2.0, 5.0)[0], rel=1e-9)
    # half the usual fall, half the rise of open interest: less, but not nothing
    strong, halved, modest = play(0.0, -2.0, 5.0)[0], play(-0.001, -2.0, 5.0)[0], play(0.0, -2.0, 1.0)[0]
    assert 0.0 < halved < strong
    assert 0.0 < modest < strong


def test_missing_open_interest_is_nan_and_comes_back():
    """Without open interest at either end of the window there is no score, and there is one again afterwards."""
    indicator, cvd, volume, interest = trained()
    price = math.exp(5 + 0.001 * cvd)
    assert indicator.initialized
    values = [indicator.update(price, cvd, volume + k, NAN if k == 1 else interest) for k in range(1, 7)]
    assert [math.isnan(value) for value in values] == [True, False, False, False, True, False]
    assert not math.isnan(indicator.distribution)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_missing_sample_starts_the_window_anew(missing):
    """Without price, CVD or volume there is no window across the sample; what flow usually does stays known."""
    indicator, cvd, volume, interest = trained()
    kappa = indicator.kappa
    sample = [150.0, cvd, volume, interest]
    broken = sample.copy()
    broken[missing] = NAN
    assert math.isnan(indicator.update(*broken))
    assert math.isnan(indicator.distribution)
    assert [math.isnan(indicator.update(*sample)) for _ in range(5)] == [True] * 4 + [False]
    assert indicator.kappa == kappa
    assert math.isnan(indicator.update(0.0, cvd, volume, interest))


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_missing_sample_forgets_both_extremes(sign):
    """Prices before the break, however far off, are neither lows nor highs of the window after it."""
    k = np.arange(1.0, 13.0)
    scores = []
    for off in (0.6, 1.0, 1.4):
        indicator, cvd, volume, interest = trained()
        price = math.exp(5 + 0.001 * cvd)
        indicator.update(off * price, cvd, volume, interest)
        indicator.update(NAN, cvd, volume, interest)
        # new lows or highs all the time, but less far out than such flow usually takes the price
        table = price * np.exp(sign * (0.01 + 0.0003 * k)), sign * k, 1.25 * k, 1e4 + 5.0 * k
        scores.append(np.array(indicator.update_many(*table)))
    assert (scores[0][0 if sign < 0 else 1][4:] > 0).all()
    assert scores[0].tobytes() == scores[1].tobytes() == scores[2].tobytes()


def test_flow_that_never_varies_teaches_nothing():
    """Without any variation of flow there is no usual impact: NaN."""
    still = Absorption(2, span=10, min_count=2)
    assert np.isnan(still.update_many(np.full(20, 9.0), np.zeros(20), np.arange(20.0), np.arange(20.0))).all()
    assert not still.initialized


def test_impact_is_never_taken_as_nothing():
    """Prices that went 0.01 against every unit of flow: a quarter of 0.01, so that what holds still counts as held."""
    flows = np.tile([1.0, 2.0, -3.0], 10)
    logs, cvd, volume = -0.01 * np.cumsum(flows), np.cumsum(flows), np.cumsum(np.abs(flows))
    against = Absorption(2, span=10, min_count=2)
    absorption, distribution = against.update_many(np.exp(logs), cvd, volume, np.arange(30.0))
    assert against.kappa == pytest.approx(0.0025)
    # net flows of two samples in turn, open interest always opened by its typical change (1/2): 2 - 3 sells a fifth of
    # its volume into a rise; 1 + 2 buys all of it into a fall; -3 + 1 makes a new low of 0.01, twice the expected drop
    assert absorption[-3:] == pytest.approx([0.0, 0.0, (1 / 5 * 1 / 2) ** 0.25])
    assert distribution[-3:] == pytest.approx([0.0, (1 / 2) ** 0.25, 0.0])


def test_parameters_are_refused():
    """A window without halves and impossible counts are named."""
    with pytest.raises(ValueError, match="window is 5, which has no halves: give an even number"):
        Absorption(5)
    with pytest.raises(ValueError, match="span is 1"):
        Absorption(4, span=1)
    with pytest.raises(ValueError, match="min_count is 1"):
        Absorption(4, min_count=1)


@settings(deadline=None, max_examples=60)
@given(SAMPLES.map(lambda rows: [(*row[:3], row[3] or 0) for row in rows]))
def test_equals_the_definition(rows):
    """The streaming scores are those of the whole columns."""
    table = columns(rows)
    absorption, distribution, _ = run(*table)
    expected = by_definition(*table, window=4, span=9, min_count=2)
    for found, wanted in ((absorption, expected[0]), (distribution, expected[1])):
        known = ~np.isnan(wanted)
        # a fourth root turns rounding of 1e-16 near 0 into 1e-4
        np.testing.assert_allclose(found[known] ** 4, wanted[known] ** 4, rtol=1e-6, atol=1e-9)
        assert np.isnan(found[: 2 * 4 + 1]).all()


@settings(deadline=None, max_examples=60)
@given(SAMPLES, st.integers(-20, 30), st.integers(-20, 30))
def test_mirror_and_scale(rows, size_power, interest_power):
    """Negated log prices and flow exchange the two scores to the bit; no unit of size matters; scores lie in [0, 1]."""
    logs, cvds, volumes, interests = columns(rows)
    absorption, distribution, _ = run(logs, cvds, volumes, interests)
    mirrored = run(-logs, -cvds, volumes, interests)
    assert np.array_equal(mirrored[0], distribution, equal_nan=True)
    assert np.array_equal(mirrored[1], absorption, equal_nan=True)
    unit = 2.0**size_power
    scaled = run(logs, cvds * unit, volumes * unit, interests * 2.0**interest_power)
    assert scaled[:2].tobytes() == np.array([absorption, distribution]).tobytes()
    known = ~np.isnan(absorption)
    assert (known == ~np.isnan(distribution)).all()
    assert ((absorption[known] >= 0) & (absorption[known] <= 1)).all()
    assert (np.minimum(absorption, distribution)[known] == 0).all()


@settings(deadline=None, max_examples=60)
@given(SAMPLES, st.integers(0, 70), st.sets(st.integers(0, 69), max_size=2))
def test_drivers_and_the_future(rows, cut, missing):
    """One by one, in bulk and cut in two give the same bits, and what comes later changes nothing before it."""
    logs, *rest = columns(rows)
    prices = np.exp(logs)
    prices[[k for k in missing if k < len(prices)]] = NAN
    table = (prices, *rest)

    def make():
        return Absorption(4, span=9, min_count=2)

    single, bulk, halves = make(), make(), make()
    out = np.array(bulk.update_many(*table))
    one_by_one = []
    for row in zip(*(column.tolist() for column in table), strict=True):
        value = single.update(*row)
        assert np.array_equal(value, single.value, equal_nan=True)
        one_by_one.append((value, single.distribution))
    assert np.array(one_by_one).T.tobytes() == out.tobytes()
    parts = [np.array(halves.update_many(*(c[part] for c in table))) for part in (slice(0, cut), slice(cut, None))]
    assert np.concatenate(parts, axis=1).tobytes() == out.tobytes()
    assert single.initialized == bulk.initialized == halves.initialized
    part = np.array(make().update_many(*(c[:cut] for c in table)))
    assert part.tobytes() == np.ascontiguousarray(out[:, :cut]).tobytes()
