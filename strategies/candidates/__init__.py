"""Candidates: everything between scored snapshots and the selection. Pure; prices and sizes are exact decimals.

A setup is a direction on an asset, a candidate a setup on the venue where it would be traded, with its stop, targets,
size, costs and value. What is not traded is kept with its reason.
"""

from strategies.candidates.candidate import (
    Blocks,
    Candidate,
    Setup,
    Snapshot,
    Views,
    candidate_on,
    candidates_of,
    setups_of,
)
from strategies.candidates.choice import OpenPosition, choose
from strategies.candidates.costs import TripCosts
from strategies.candidates.passed import Passed, Why, why_not
from strategies.candidates.settings import CandidateSettings, Objective
from strategies.candidates.touch import Touch
from strategies.candidates.venue_view import Level, VenueView, Walk, walk

__all__ = [
    "Blocks",
    "Candidate",
    "CandidateSettings",
    "Level",
    "Objective",
    "OpenPosition",
    "Passed",
    "Setup",
    "Snapshot",
    "Touch",
    "TripCosts",
    "VenueView",
    "Views",
    "Walk",
    "Why",
    "candidate_on",
    "candidates_of",
    "choose",
    "setups_of",
    "walk",
    "why_not",
]
