"""The conversation: reads input, calls one use case, chooses a template; no rules, no SQL."""
