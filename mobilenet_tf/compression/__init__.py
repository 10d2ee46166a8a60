"""Networks in fewer bytes."""
