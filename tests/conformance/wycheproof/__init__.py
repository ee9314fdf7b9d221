"""Signature vectors of C2SP's Wycheproof against ``images.signing``."""
