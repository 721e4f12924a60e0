"""Recognisers that learn from labelled poses alone: what tokens learnt without labels must beat."""
