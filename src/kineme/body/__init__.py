"""Surfaces over a skeleton. So far: the body models that a user holds, read and checked."""
