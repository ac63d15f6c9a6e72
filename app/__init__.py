"""The editor: the only Qt code. Talks to the engine through `engine.session` and `engine.types` alone."""
