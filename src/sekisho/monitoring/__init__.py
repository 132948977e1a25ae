"""A model in use, asked the same frozen questions again and again, and held against the last run that a person accepted.

    run       asks, compares, writes an entry (`watch-run`) and says what makes a re-test due
    status    from the ledger alone: what is overdue, what drifted, what waits for a person
    accept    a person takes a run as the one to hold later ones against (`watch-accepted`)
    schedule  text for cron, a systemd timer or the Windows Task Scheduler

`sekisho.watch` is something else: who is told how a run comes along.
"""
