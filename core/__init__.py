"""The facts: plain Python and SQLAlchemy.

No Flask, WeChat, Redis or HTTP. Subjects do not import each other; the shared packages
(places, people, audit, notices, state) stand below them, `nightly` above.
"""
