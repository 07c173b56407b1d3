"""WeChat in a box for development and tests: a stand-in for its API and a phone in the browser.

Nothing here exists in production, and nothing else in `bot` imports it but the place that mounts
it. What the platform does is written down again from its documentation, never by calling the
product's own code: the two sides must be able to disagree.
"""
