"""Who may ask: keys, tokens, scopes and rates."""
