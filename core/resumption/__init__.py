"""Return to work: a company's filing, and the owner's decisions about those who registered.

`approval` rests on `filing`, and both on what all workplaces share.
"""
