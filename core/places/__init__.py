"""Streets and communities: what they are called, where they are, and which one is meant."""
