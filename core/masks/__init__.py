"""Mask guidance: does a person need a mask where they are or where they go?

`cues` is the table of words, `reading` turns a sentence into cues, `rules` decides.
Pure throughout. Where the guidance leaves room between the two answers, the answer is "wear".
"""
