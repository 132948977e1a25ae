"""The 27 questions that a company answers before it lets a model in: read as data, filled from facts, no I/O beyond that.

`items.load()` reads the questions, `engine.fill(sources, profile)` answers each with yes, no or unknown.
"""
