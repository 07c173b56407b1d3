"""What files and the live feed bring: one module a kind, the same rules for both."""
