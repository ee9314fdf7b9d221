"""Controllers that belong to the API itself: what finishes deletions, and what every namespace has."""

from sekisho.apiserver.controllers.loop import Controller, Controllers

__all__ = ["Controller", "Controllers"]
