"""One script per table or figure of a paper."""
