"""The mirrored world: buys for sells, up for down. A model of longs scores a short on the mirrored vector."""

import numpy as np

from strategies.flow.groups import FEATURES
from strategies.flow.schema import Feature, Flip
from strategies.model_record import Floats

_AT = {feature.name: k for k, feature in enumerate(FEATURES)}
_OF_SUM = {Flip.COMPLEMENT_100: 100.0, Flip.COMPLEMENT_1: 1.0}


def _source(feature: Feature) -> int:
    return _AT[feature.name if feature.partner is None else feature.partner]


_SOURCE = np.array([_source(feature) for feature in FEATURES])
_SIGN = np.array([1.0 if feature.flip in (Flip.SAME, Flip.SWAP) else -1.0 for feature in FEATURES])
_SUM = np.array([_OF_SUM.get(feature.flip, 0.0) for feature in FEATURES])


def mirrored(values: Floats) -> Floats:
    """`values` of shape (..., features), in the order of FEATURES, as the mirrored world would show them.

    Twice mirrored is the same again: to the bit, but for features of the kind ``100 - x``, whose difference is rounded.
    """
    flipped: Floats = values[..., _SOURCE] * _SIGN + _SUM
    return flipped
