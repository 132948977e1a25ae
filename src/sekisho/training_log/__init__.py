"""The real finetuning, recorded and compared."""
