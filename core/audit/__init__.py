"""Who did what to whom, when: rows are added, never changed, and chained by hash."""
