"""Kritis' policies, read unchanged; its ways around them closed."""
