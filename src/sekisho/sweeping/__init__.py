"""Token sweep, the measuring part: asks a model, keeps what it said, and says which tokens change its behaviour."""
