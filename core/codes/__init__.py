"""Codes to scan: a random token per subject, revocable; no personal data and no key in it."""
