"""How the editions are made: read a source, run it, write two notebooks."""
