"""Data that comes with Redraft: samples, models. A package, so that it is found wherever Redraft is installed."""
