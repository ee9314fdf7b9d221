"""The extension libraries of cel-go."""
