"""What people want from a model: what their takes are made of, kept in a library."""
