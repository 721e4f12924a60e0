"""The page that shows a library: what it holds (`payload`), how it is written (`page`), how it is served."""
