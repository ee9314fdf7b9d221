"""Evidence about images: what was stored, read strictly, and what it says once it is verified."""
