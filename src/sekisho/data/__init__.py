"""Inert data: TOML and JSONL only. No code lives here or is named here."""
