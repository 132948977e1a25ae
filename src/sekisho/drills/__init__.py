"""Trial finetunes: train a little, then ask again."""
