"""What a network costs: parameters, mult-adds, memory, energy."""
