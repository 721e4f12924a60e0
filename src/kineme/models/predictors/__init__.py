"""Predictors of motion: from N frames of channels to the next T. One folder each."""
