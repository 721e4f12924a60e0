"""Pictures of bodies that can be differentiated by their pose, and what fills them in."""
