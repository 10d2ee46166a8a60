"""Costs of a network: parameters, mult-adds, traffic, memory and energy."""
