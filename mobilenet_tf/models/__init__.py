"""The papers' networks, and weights into and out of them."""
