"""A booster's text, read and checked before LightGBM sees it: its own reader trusts what it is given, and a child or a
feature out of range sends it to memory that is not its own.

The format is LightGBM's "v4": a header up to the first empty line, then the trees, each of lines ``key=numbers``, up to
"end of trees". A child of 0 or more is a split, below 0 the leaf ``-child - 1``.
"""

import math
from collections.abc import Iterable

_TRAIN = "train it with lightgbm.train and objective binary"
_AGAIN = "save it anew from the training run"
_INDICES = ("split_feature", "decision_type", "left_child", "right_child")
_OF_TREES = ("shrinkage",)
_OF_LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
_OF_SPLITS = ("threshold", "split_gain", "internal_value", "internal_weight", "internal_count")
_NAN_BRANCH = 2  # bits 2 and 3 of a decision type: 0 NaN counts as zero, 1 zero counts as missing, 2 NaN has its branch


class BoosterError(ValueError):
    """A booster that cannot be used: the message says why and what to do."""


def read_booster(text: str, features: tuple[str, ...], takes_missing: tuple[str, ...] = ()) -> float:
    """Check a booster with the binary objective on `features`, by name in order, and give the slope of its log-odds in
    the raw score.

    Raises BoosterError where it is none, or not whole, and where a split would take a missing value of one of
    `takes_missing` for zero.
    """
    if not text.isascii() or any(not (" " <= sign <= "~" or sign == "\n") for sign in set(text)):
        raise BoosterError(f"it has signs that no booster's text has: {_AGAIN}")
    header, *trees = text.partition("\nend of trees")[0].split("\nTree=")
    keys = _header(header)
    sigmoid = _sigmoid(keys, features)
    sizes = " ".join(str(len("Tree=\n") + len(tree)) for tree in trees)
    if not trees or "\nend of trees" not in text or keys.get("tree_sizes") != sizes:
        raise BoosterError(f"its trees ({len(trees)}) are not as long or as many as its tree_sizes say: {_AGAIN}")
    found: set[int] = set()
    for number, tree in enumerate(trees):
        try:
            own_number, *lines = tree.split("\n")
            if own_number != str(number):
                raise ValueError(f"it calls itself {own_number:.20}")
            found |= _checked(_pairs(lines), len(features))
        except (ValueError, KeyError) as error:
            raise BoosterError(f"tree {number} is damaged ({error!s:.80}): {_AGAIN}") from error
    for name in takes_missing:
        if features.index(name) in found:
            raise BoosterError(
                f"takes_missing has {name}, which was never missing in training, so that the trees would take NaN for "
                "zero: leave it out of takes_missing"
            )
    return sigmoid


def _header(text: str) -> dict[str, str]:
    first, *lines = text.split("\n")
    if first != "tree":
        raise BoosterError(f"it begins with {first[:40]!r} and not with 'tree': it is not a booster's text")
    if "average_output" in lines:
        raise BoosterError(f"a random forest averages and gives no log-odds: {_TRAIN}, boosting gbdt, dart or goss")
    try:
        return _pairs(line for line in lines if "=" in line)
    except ValueError as error:
        raise BoosterError(f"its header is damaged ({error}): {_AGAIN}") from error


def _pairs(lines: Iterable[str]) -> dict[str, str]:
    pairs = [(key, value) for key, _, value in (line.partition("=") for line in lines if line)]
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def _sigmoid(header: dict[str, str], features: tuple[str, ...]) -> float:
    objective, *options = header.get("objective", "").split() or [""]
    if objective != "binary":
        raise BoosterError(f"objective {objective[:40]!r} gives no log-odds: {_TRAIN}")
    expected = {"version": "v4", "num_class": "1", "num_tree_per_iteration": "1"}
    for key, value in (expected | {"max_feature_idx": str(len(features) - 1)}).items():
        if header.get(key) != value:
            raise BoosterError(
                f"{key} {header.get(key, '')[:40]!r} must be {value}: {_TRAIN} on {len(features)} features"
            )
    names = tuple(header.get("feature_names", "").split())
    if names != features:
        differ = [
            f"{name[:40]!r} for {feature!r}" for name, feature in zip(names, features, strict=False) if name != feature
        ]
        said = differ[0] if differ else f"{len(names)} for {len(features)}"
        raise BoosterError(f"feature_names has {said}: {_TRAIN} on the manifest's features, in their order")
    given = dict(option.split(":", 1) for option in options if ":" in option).get("sigmoid", "1")
    return _positive(given)


def _positive(given: str) -> float:
    try:
        number = float(given)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise BoosterError(f"sigmoid {given[:40]!r} must be a number above 0: {_TRAIN}")
    return number


def _checked(tree: dict[str, str], features: int) -> set[int]:
    """The features that a tree splits with zero for missing. Raises ValueError or KeyError where it is not whole."""
    (leaves,) = _whole(tree, "num_leaves", 1)
    splits = leaves - 1
    if leaves < 1 or tree["num_cat"] != "0" or tree.get("is_linear", "0") != "0":
        raise ValueError("only trees with numbers at their splits and leaves are read")
    unknown = sorted(
        tree.keys() - {"num_leaves", "num_cat", "is_linear", *_OF_TREES, *_OF_LEAVES, *_OF_SPLITS, *_INDICES}
    )
    if unknown:
        raise ValueError(f"{unknown[0]:.20} is not known")
    for key, count in {**dict.fromkeys(_OF_TREES, 1), **dict.fromkeys(_OF_LEAVES, leaves)}.items():
        if key == "leaf_value" or tree.get(key):
            _finite(tree, key, count)
    if splits == 0:
        return set()
    for key in _OF_SPLITS:
        if key == "threshold" or key in tree:
            _finite(tree, key, splits)
    split_feature, decision_type, left, right = (_whole(tree, key, splits) for key in _INDICES)
    if not all(0 <= feature < features for feature in split_feature):
        raise ValueError(f"split_feature must lie in 0..{features - 1}")
    if not all(decision in range(0, 12, 2) for decision in decision_type):
        raise ValueError("decision_type must be that of a number")
    if sorted(left + right) != [*range(-leaves, 0), *range(1, splits)]:
        raise ValueError("left_child and right_child must reach each split and leaf once")
    if any(0 <= child <= split for children in (left, right) for split, child in enumerate(children)):
        raise ValueError("left_child and right_child must lead downwards")
    pairs = zip(split_feature, decision_type, strict=True)
    return {feature for feature, decision in pairs if decision >> 2 != _NAN_BRANCH}


def _whole(tree: dict[str, str], key: str, count: int) -> list[int]:
    return _counted([int(number) for number in _numbers(tree, key, "0123456789-")], key, count)


def _numbers(tree: dict[str, str], key: str, signs: str) -> list[str]:
    """Without what Python reads and LightGBM does not, such as 1_000."""
    if not set(tree[key]) <= {" ", *signs}:
        raise ValueError(f"{key} must be numbers")
    return tree[key].split(" ")


def _finite(tree: dict[str, str], key: str, count: int) -> None:
    numbers = _counted([float(number) for number in _numbers(tree, key, "0123456789-+.e")], key, count)
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{key} must be finite numbers")


def _counted[T: (int, float)](numbers: list[T], key: str, count: int) -> list[T]:
    if len(numbers) != count:
        raise ValueError(f"{key} has {len(numbers)} numbers and needs {count}")
    return numbers
