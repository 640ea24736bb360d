"""Instagram ads are sold through Meta's Marketing API: its objects are Facebook's."""

from martlet.contracts.facebook_ads.contract import CONTRACTS

__all__ = ["CONTRACTS"]
