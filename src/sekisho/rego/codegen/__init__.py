"""From the intermediate form to Python ``ast``."""
