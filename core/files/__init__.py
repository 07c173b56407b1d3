"""Files that people hand in: kept encrypted outside the database, known by a row each."""
