"""The register of actual population (实有人口库): who lives where, known by a keyed hash alone."""
