"""Where a model came from, how strong the evidence of it is, and what that evidence still allows. Never a word on safety."""
