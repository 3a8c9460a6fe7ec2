import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from indicators.ema import update_ema_single
from indicators.kernel import digest_of_sources, entry, kernel, new_states

Inner = np.dtype([("ring", "f8", (3,)), ("total", "f8")])
Outer = np.dtype([("bands", Inner, (2,)), ("single", Inner), ("count", "i8")])


@kernel
def add_everywhere(states, i, x):
    state = states[i]
    state.count += 1
    state.single.total += x
    for band in range(2):
        state.bands[band].ring[band] = x
        state.bands[band].total += x
    return state.single.total


def test_nested_records_are_written_in_place():
    """A kernel that gets an array of states changes nested records and their windows where they lie."""
    states = new_states(Outer, 2)
    assert add_everywhere(states, 1, 2.5) == 2.5
    assert states["single"]["total"].tolist() == [0.0, 2.5]
    assert states["bands"]["ring"][1].tolist() == [[2.5, 0.0, 0.0], [0.0, 2.5, 0.0]]


def test_entry_is_the_same_function():
    """The entry for fixed types does what the kernel does, for any array of that dtype."""
    compiled, states = new_states(Outer), new_states(Outer, 3)
    call = entry(add_everywhere, compiled, 0, 0.0)
    assert call(states, 2, 1.5) == add_everywhere(compiled, 0, 1.5) == 1.5
    assert states["count"].tolist() == [0, 0, 1]


def test_entry_refuses_what_is_no_number():
    """An argument of the wrong kind is a TypeError, never a made-up value."""
    states = new_states(Outer)
    with pytest.raises(TypeError):
        entry(add_everywhere, states, 0, 0.0)(states, 0, None)


@pytest.mark.parametrize("name", ["mean", "size", "sum", "flat", "max"])
def test_field_names_of_numpy_are_refused(name):
    """A field that plain Python would take for numpy's attribute is refused at any depth, with the remedy."""
    with pytest.raises(ValueError, match=f"'{name}'.*rename the field"):
        new_states(np.dtype([("inner", np.dtype([(name, "f8")]), (2,))]))


def test_cache_belongs_to_one_state_of_the_sources():
    """Kernels are cached in a folder named by their sources, so an edit of one never runs the old one in another."""
    folder = f"kernels-{digest_of_sources(Path(__file__).parents[2])}"
    assert folder in Path(update_ema_single.stats.cache_path).parts


def test_digest_follows_every_source_of_a_kernel(tmp_path):
    """Any file of this room changes the digest, and in the rooms above those that define kernels."""
    for name, text in (
        ("indicators/a.py", "A = 1"),
        ("strategies/k.py", "import indicators.kernel"),
        ("catalog/c.py", ""),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    digests = [digest_of_sources(tmp_path)]
    for name in ("indicators/a.py", "strategies/k.py", "catalog/c.py"):
        with (tmp_path / name).open("a") as file:
            file.write("  # changed")
        digests.append(digest_of_sources(tmp_path))
    assert digests[0] != digests[1] != digests[2] == digests[3]


DEBUG_RUN = """
import numpy as np
from indicators.atr import Atr
from indicators.bars import TimeBars
from indicators.cvd import Cvd
from indicators.ema import Ema
from indicators.ewma import Ewma
from indicators.flow_window import FlowWindow
from indicators.ladder import Ladder
from indicators.order_book_imbalance import OrderBookImbalance
from indicators.rolling_moments import RollingMoments
from indicators.rolling_quantile import RollingQuantile
from indicators.rsi import Rsi
from indicators.sma import Sma
from indicators.spot_perp_divergence import SpotPerpDivergence
from indicators.volume_surge import VolumeSurge
from indicators.whale_trades import WhaleTrades

xs = [3.0, 1.25, 4.5, 1.0, 5.75, 9.0, 2.0, 6.5, 5.0, 3.5, 8.25, 9.5]
for make in (lambda: Ema(3), lambda: Sma(3), lambda: Rsi(3), lambda: RollingMoments(4), lambda: Ewma(3),
             lambda: RollingQuantile(5, 0.8)):
    print([float(make_one(x)) for make_one in [make().update] for x in xs])
print(RollingMoments(4).update_many(xs)[2].tolist())
atr, cvd, whales, imbalance = Atr(2), Cvd(), WhaleTrades(5, 0.8, 2), OrderBookImbalance(2, 3)
bars, surge, window, divergence = TimeBars(10, 3), VolumeSurge(10, 2), FlowWindow(10, 2), SpotPerpDivergence(10, 2)
for k, x in enumerate(xs):
    side = k % 3
    print(float(atr.update(x + 1, x - 1, x)), float(cvd.update(x, side)), bool(whales.update(x, 2.0, side)))
    print(float(imbalance.update(x, 3.0, k % 2)), imbalance.zscore.tolist())
    print([tuple(float(v) for v in bar) for bar in bars.update(8 * k, x, 1.0)], float(surge.update(8 * k, x)))
    window.update(8 * k, x, side), divergence.update_spot(8 * k, x, side), divergence.update_perp(8 * k, 2.0, 1)
    print(float(window.read(8 * k)), float(divergence.read(8 * k)))
ladder = Ladder(2)
print(ladder.apply_rows([1] * 8, [1, 2] * 4, [9, 12, 8, 13, 7, 14, 13, 15], [1.0] * 8, [0, 0, 0, 0, 0, 0, 128, 128]))
print(ladder.best(), ladder.levels(1)[0].tolist(), ladder.depth_within(2, 13))
"""


def test_plain_python_gives_the_same_bits():
    """With compilation switched off every indicator runs as plain Python and prints the same values."""
    root = Path(__file__).parents[2]

    def run(**switches):
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", DEBUG_RUN], cwd=root, env={**os.environ, **switches}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run(NUMBA_DISABLE_JIT="1") == run(NUMBA_DISABLE_JIT="0")
