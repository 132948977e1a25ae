"""Ablation, the measuring part: asks a model with and without each file that came along, and says which one did what."""
