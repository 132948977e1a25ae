"""The only door to torch and transformers, behind one small interface."""
