"""Published marts: one read-only file per tenant and version, written here and opened here."""
