"""The explorer: a static page made from records, to choose a network and to try it."""
