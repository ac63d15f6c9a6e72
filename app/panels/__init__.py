"""Views of state that is kept elsewhere; they hold none of their own."""
