"""The filing of a company: declared once, reviewed by the district, kept with its history."""
