"""The register of models: who asked for what, where each stands, where it came from and where it runs.

Nothing of it is kept but in the ledger; every row is made from the chain.
"""
