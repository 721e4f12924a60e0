"""One folder per system; none imports another."""
