"""Two actions at once: energies of body parts, their coupling, and what is learnt from coupled actions."""
