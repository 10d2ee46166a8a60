"""Trials: the configuration of a trained network, its key, its record."""
