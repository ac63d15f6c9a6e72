"""The trainer: packs text to samples, trains the Eso-LM network on holes, evaluates it on held-out documents.

Nothing here is imported by the editor or by inference; torch is imported by the modules that compute.
"""
