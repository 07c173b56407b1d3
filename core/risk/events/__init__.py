"""Epidemic events of people, and the feeds that bring them."""
