"""The registration of a person with a company: what they report, and what of it needs a look."""
