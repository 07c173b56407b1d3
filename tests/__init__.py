"""The tests: the tree of the product once more, `flows/` (journeys) and `house/` (its rules)."""
