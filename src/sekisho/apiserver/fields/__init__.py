"""Who owns which field: managed fields and server-side apply."""

from sekisho.apiserver.fields.manager import FieldManager

__all__ = ["FieldManager"]
