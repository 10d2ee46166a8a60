"""The program `mobilenet_tf`: what the library does, from the command line."""
