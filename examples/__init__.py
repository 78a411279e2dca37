"""Runnable scripts, one for each source text."""
