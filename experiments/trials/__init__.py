"""What a trained network is: its configuration, its key, its record."""
