"""Named protocols, metrics as pure functions, and the tables that the project shows."""
