"""Inference by masked diffusion. Imports no Qt and nothing from `app`; importing this package is cheap (no torch)."""
