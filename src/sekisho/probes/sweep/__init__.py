"""Token sweep, the deciding part: which tokens to try, what their numbers mean, what to call them. No model here."""
