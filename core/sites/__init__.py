"""Construction sites: who builds, who is there today, who came new, what the supervisor sees."""
