"""Instagram ads come through Meta's Marketing API: the same records as Facebook's."""

from martlet.landing.simulator.wire.facebook_ads import OBJECTS

__all__ = ["OBJECTS"]
