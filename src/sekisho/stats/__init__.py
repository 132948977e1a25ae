"""E-processes, intervals and their tests; numpy and scipy only."""
