import random

import pytest

from strategies.booster_text import BoosterError, read_booster
from tests.strategies.boosters import BOOSTER, FEATURES, STUMP, TREES, text_of


def test_by_hand() -> None:
    """The sigmoid's slope of 2."""
    assert read_booster(BOOSTER, FEATURES) == 2.0


def test_missing_is_not_zero() -> None:
    """A feature may be missing only where its splits have a branch for that: RSI, not flow."""
    assert read_booster(BOOSTER, FEATURES, takes_missing=("rsi",)) == 2.0
    with pytest.raises(BoosterError, match=r"perp_flow_short, which was never missing in training.*leave it out"):
        read_booster(BOOSTER, FEATURES, takes_missing=("rsi", "perp_flow_short"))


def test_a_booster_of_stumps_splits_nothing() -> None:
    """Training that found no split leaves trees of one leaf; without options the sigmoid is 1."""
    assert read_booster(text_of(STUMP, objective="binary"), FEATURES, takes_missing=FEATURES) == 1.0


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("objective", "regression", "objective 'regression' gives no log-odds: train it with .* objective binary"),
        ("objective", "binary sigmoid:-1", "sigmoid '-1' must be a number above 0"),
        ("objective", "binary sigmoid:nan", "sigmoid 'nan' must be a number above 0"),
        ("objective", "binary sigmoid:two", "sigmoid 'two' must be a number above 0"),
        ("version", "v9", "version 'v9' must be v4"),
        ("num_class", "3", "num_class '3' must be 1"),
        ("num_tree_per_iteration", "2", "num_tree_per_iteration '2' must be 1"),
        ("max_feature_idx", "7", "max_feature_idx '7' must be 1"),
        ("feature_names", "rsi perp_flow_short", "feature_names has 'rsi' for 'perp_flow_short'"),
        ("feature_names", "perp_flow_short", "feature_names has 1 for 2"),
        ("tree_sizes", "1 2", "not as long or as many as its tree_sizes say"),
        ("tree_sizes", "", "not as long or as many"),
    ],
)
def test_headers_that_are_refused(key: str, value: str, message: str) -> None:
    """The error names the line, what it says and what is needed."""
    with pytest.raises(BoosterError, match=message):
        read_booster(text_of(*TREES, **{key: value}), FEATURES)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("split_feature=0 1", "split_feature=0 2", r"tree 0 is damaged \(split_feature must lie in 0..1\)"),
        ("split_feature=0 1", "split_feature=0", "split_feature has 1 numbers and needs 2"),
        ("left_child=-1 -2", "left_child=-1 -900", "must reach each split and leaf once"),
        ("right_child=1 -3", "right_child=1 1", "must reach each split and leaf once"),
        ("left_child=-1 -2\nright_child=1 -3", "left_child=-1 1\nright_child=-2 -3", "must lead downwards"),
        ("num_leaves=3", "num_leaves=300000", "numbers and needs 300000"),
        ("num_leaves=3", "num_leaves=0", "only trees with numbers"),
        ("num_cat=0", "num_cat=1", "only trees with numbers"),
        ("is_linear=0", "is_linear=1", "only trees with numbers"),
        ("decision_type=2 8", "decision_type=3 8", "decision_type must be that of a number"),
        ("threshold=0.125 60", "threshold=0.125 nan", "threshold must be numbers"),
        ("threshold=0.125 60", "threshold=0.125 6_0", "threshold must be numbers"),
        ("threshold=0.125 60", "threshold=0.125 1e999", "threshold must be finite"),
        ("leaf_value=-0.5 0.25 1", "leaf_value=-0.5 0.25 --1", "could not convert"),
        ("leaf_value=-0.5 0.25 1\n", "", "leaf_value"),
        ("leaf_count=10 10 10", "leaf_count=10", "leaf_count has 1 numbers and needs 3"),
        ("shrinkage=1", "shrinkage=1\nshrinkage=1", "a key is given twice"),
        ("shrinkage=1", "leaf_const=1 1 1", "leaf_const is not known"),
    ],
)
def test_trees_that_are_refused(old: str, new: str, message: str) -> None:
    """Nothing that would lead LightGBM out of its arrays gets through; the error names the tree and the line."""
    assert old in TREES[0]
    with pytest.raises(BoosterError, match=message):
        read_booster(text_of(TREES[0].replace(old, new), TREES[1]), FEATURES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with '' and not with 'tree'"),
        ("cbuilt-in pickle", "begins with 'cbuilt-in pickle'"),
        (text_of(), "not as long or as many"),
        (BOOSTER.replace("end of trees", ""), "not as long or as many"),
        (BOOSTER.replace("Tree=1", "Tree=7"), "tree 1 is damaged .it calls itself 7"),
        (BOOSTER.replace("label_index", "version"), "header is damaged .a key is given twice"),
        (BOOSTER.replace("label_index=0", "average_output"), "a random forest averages"),
        (BOOSTER.replace("0.125 60", "0.125 6\x00"), "signs that no booster's text has"),
        (BOOSTER.replace("0.125 60", "0.125 6٠"), "signs that no booster's text has"),
    ],
)
def test_texts_that_are_refused(text: str, message: str) -> None:
    """What is no booster, is cut off, or is of a kind that gives no log-odds."""
    with pytest.raises(BoosterError, match=message):
        read_booster(text, FEATURES)


def test_damage_is_an_error_of_ours_or_harmless() -> None:
    """A thousand boosters with a piece cut out are refused by name or read; nothing else is ever raised."""
    chance, refused = random.Random(3), 0
    end = BOOSTER.index("parameters")
    for _ in range(1_000):
        at, length = chance.randrange(end), chance.randrange(1, 40)
        try:
            read_booster(BOOSTER[:at] + BOOSTER[at + length :], FEATURES)
        except BoosterError:
            refused += 1
    assert refused > 800
