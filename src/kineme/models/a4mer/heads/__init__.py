"""Heads: small networks that a task trains on the frozen tokens of an A4Mer, kept inside its folder."""
