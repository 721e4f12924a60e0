"""Two small Sphinx extensions of our own."""
