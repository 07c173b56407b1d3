"""Where people work: a company's own premises, a shop, a construction site; one thing, three faces.

Codes, registrations, screening and exports know the workplace alone. What is particular to a face
stands in the table of that face, under the same id.
"""
