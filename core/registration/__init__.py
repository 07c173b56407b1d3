"""The registration of a person with a workplace, whatever its face.

What they report, what of it needs a look, who is told, and what staff may see of it.
"""
