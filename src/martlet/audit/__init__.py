"""The audit: what landed against what the warehouse says of it, recomputed without the push."""
