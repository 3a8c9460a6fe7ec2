"""A booster's text made by hand: what LightGBM writes, of two small trees."""

FEATURES = ("perp_flow_short", "rsi")

FLOW = """num_leaves=3
num_cat=0
split_feature=0 1
split_gain=2 1
threshold=0.125 60
decision_type=2 8
left_child=-1 -2
right_child=1 -3
leaf_value=-0.5 0.25 1
leaf_weight=1 1 1
leaf_count=10 10 10
internal_value=0 0.5
internal_weight=3 2
internal_count=30 20
is_linear=0
shrinkage=1
"""
"""Flow up to 0.125: -0.5. Above, RSI up to 60: 0.25, above or missing: 1. (8: NaN has a branch, the right one.)"""

STUMP = """num_leaves=1
num_cat=0
split_feature=
split_gain=
threshold=
decision_type=
left_child=
right_child=
leaf_value=0.125
leaf_weight=
leaf_count=30
internal_value=
internal_weight=
internal_count=
is_linear=0
shrinkage=1
"""
"""One leaf, no split: 0.125 whatever comes."""

TREES = (FLOW, STUMP)


def text_of(*trees: str, sizes: str | None = None, **header: str) -> str:
    """The text of a booster of `trees`, with `header` lines of one's own."""
    blocks = [f"Tree={k}\n{tree}\n\n" for k, tree in enumerate(trees)]
    lines = {
        "version": "v4",
        "num_class": "1",
        "num_tree_per_iteration": "1",
        "label_index": "0",
        "max_feature_idx": "1",
        "objective": "binary sigmoid:2",
        "feature_names": " ".join(FEATURES),
        "feature_infos": "[-1:1] [0:100]",
        "tree_sizes": " ".join(str(len(block)) for block in blocks) if sizes is None else sizes,
    }
    head = "\n".join(["tree", *(f"{key}={value}" for key, value in (lines | header).items())])
    return f"{head}\n\n{''.join(blocks)}end of trees\n\nparameters:\nend of parameters\n\npandas_categorical:null\n"


BOOSTER = text_of(*TREES)
