"""Frameworks and hooks by which exceptions reach Flawless."""
