"""Meta's Marketing API, for the placements that a tenant declares as Instagram."""
