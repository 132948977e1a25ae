"""Behaviour probes: ask the model, score the answers."""
