"""Community risk: indicators by day, their score, the colour and the reasons.

The engine scores whatever indicators a model version names; versions are immutable documents.
"""
