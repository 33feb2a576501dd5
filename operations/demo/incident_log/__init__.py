"""A real, anonymised incident log, moved to the present. ATTRIBUTION.md names its source."""
