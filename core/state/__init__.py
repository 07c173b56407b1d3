"""Tables for short-lived state when there is no Redis: messages seen, conversations, locks.

Only `bot/store.py` reads and writes them.
"""
