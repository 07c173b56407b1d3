"""Return to work: a company's filing, the registrations of its staff, the owner's decisions.

`approval` rests on `registration`, and that on `filing`.
"""
