"""docs/features.md, made from the schema: ``python -m strategies.flow.guide`` writes it anew."""

from pathlib import Path

from strategies.config import FlowSettings
from strategies.flow.groups import FEATURES, GROUPS
from strategies.flow.schema import Feature, Input

PATH = Path(__file__).parents[2] / "docs" / "features.md"

STALE = {
    Input.LEAD_PRICE: "after `stale_seconds` without a book sample (or trade, where it has no book)",
    Input.LEAD_BOOK: "after `stale_seconds` without a change of the book",
    Input.PERP_BOOKS: "after `stale_seconds` without a change, each book on its own",
    Input.SPOT_BOOKS: "after `stale_seconds` without a change, each book on its own",
    Input.PERP_TRADES: "never: no trades is an empty window, and a ratio of nothing is NaN",
    Input.SPOT_TRADES: "never: no trades is an empty window, and a ratio of nothing is NaN",
    Input.LEAD_BARS: "a silence longer than the bars allow starts them anew",
    Input.MARK: "after `stale_seconds`",
    Input.FUNDING: "after one hour",
    Input.OPEN_INTEREST: "levels after one hour, changes after `open_interest_stale_seconds`",
}

HEAD = """# Features

Made by `make features` from the schema in `strategies/flow/`; do not edit.

A snapshot has {count} features in this order. **Missing is not zero**: a feature is NaN until it is warm, and whenever
one of its inputs is missing or stale. No snapshot is made at all before the lead market is warm, or while its price is
stale.

*Flip* says what a feature becomes when the world is mirrored (buys for sells, up for down): a model of longs scores a
short on the flipped vector. Features marked *shown* have a level of their own time or asset; models leave them out.
"""


def markdown() -> str:
    """The whole page."""
    parts = [HEAD.format(count=len(FEATURES))]
    for group in GROUPS:
        parts += [f"## {group.name.replace('_', ' ')}\n", (_summary(group.write) + "\n")]
        parts += ["| feature | unit | flip | warm-up | inputs | meaning |", "|---|---|---|---|---|---|"]
        parts += [_row(feature) for feature in group.features]
        parts.append("")
    parts += ["## When an input is stale\n", "| input | stale |", "|---|---|"]
    parts += [f"| {kind.value} | {rule} |" for kind, rule in STALE.items()]
    parts += ["\n## Settings\n", "Defaults of the `[flow]` table of a profile; each is part of the schema id.\n"]
    parts += ["| setting | default |", "|---|---|"]
    parts += [f"| `{name}` | {_text(value)} |" for name, value in FlowSettings().model_dump().items()]
    return "\n".join(parts) + "\n"


def _summary(function: object) -> str:
    module = __import__(str(getattr(function, "__module__", "")), fromlist=["__doc__"])
    return str(module.__doc__).strip().splitlines()[0]


def _row(feature: Feature) -> str:
    name = f"`{feature.name}`" + ("" if feature.learnable else " (shown)")
    flip = feature.flip.value + (f" `{feature.partner}`" if feature.partner else "")
    inputs = ", ".join(kind.value for kind in feature.inputs)
    return f"| {name} | {feature.unit} | {flip} | {feature.warm_up} | {inputs} | {feature.meaning} |"


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


if __name__ == "__main__":
    PATH.write_text(markdown(), encoding="utf-8")
