"""From a selection to a proposal: the request, the engine's events on the GUI thread, and what is done with them."""
