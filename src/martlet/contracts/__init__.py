"""One folder per connector: what its API really returns, and what Martlet reads from it."""
