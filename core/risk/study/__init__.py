"""Does the model predict? What became of the communities that a version scored.

A study reads what was published of an outbreak, day by day, as tables of numbers. It scores them
with the engine and the documents of the nightly model, and never sees a day before its time.
"""
