"""The standard vocabulary: every dimension, measure and ratio that a star schema brings with it.

Data, not code: definitions and the check of tenants.yaml read it from here.
"""

from martlet.semantic.standard.blended import BLENDED
from martlet.semantic.standard.concepts import StandardModel
from martlet.semantic.standard.facts import (
    STANDARD_ADS,
    STANDARD_CAMPAIGNS,
    STANDARD_ORDERS,
    STANDARD_SESSIONS,
)

STANDARD_MODELS: dict[str, StandardModel] = {
    model.name: model
    for model in (STANDARD_ADS, STANDARD_ORDERS, STANDARD_SESSIONS, STANDARD_CAMPAIGNS, BLENDED)
}
