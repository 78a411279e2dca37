"""Scripts that reproduce known texts with coterie; each says in its first lines how to run it."""
