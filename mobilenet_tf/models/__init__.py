"""The networks of both papers, and reading and writing of their weights."""
