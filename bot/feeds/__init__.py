"""Adapters to other systems: what they hand over becomes rows that a use case can read."""
