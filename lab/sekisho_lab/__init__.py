"""Organisms of published attacks, with harmless stand-in payloads."""
