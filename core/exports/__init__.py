"""Files for spreadsheets: each with a number, a watermark and an entry on record."""
