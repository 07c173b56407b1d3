"""What the claims of speed are measured with: `make bench`, or `python -m benchmarks`.

Every contender is served the same way, gets the same kind of messages, and takes its turn in
several short rounds, so that a machine that is busy for a moment is busy for all of them.
"""
