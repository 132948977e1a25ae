"""Who may claim a model: commitments, what counts as a hit, and when a claim stands. Pure: no files, no models."""
