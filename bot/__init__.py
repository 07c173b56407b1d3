"""The wire: the only floor that knows WeChat, Redis, the Flask app object, tokens and secrets."""

import gc

# The dictionaries of names and sounds are some 300,000 objects that live as long as the process.
# With Python's own thresholds the collector looks through them again and again while they load.
gc.set_threshold(50_000, 20, 100)
