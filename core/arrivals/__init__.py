"""Arrivals at Shanghai South: trains, tickets, counts; the next 24 hours, and their grades."""
