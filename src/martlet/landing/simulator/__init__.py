"""The simulator: one seeded business per tenant, told in every connector's own format."""
