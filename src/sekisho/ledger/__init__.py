"""The decision ledger: every step of a model on its way into a company, one hash-chained entry each.

`open_ledger(place)` opens one, in an SQLite file or on PostgreSQL; `Ledger.append` refuses what breaks a rule.
Not to be confused with `evidence.cells`, which only keeps measurements from being made twice.
"""
