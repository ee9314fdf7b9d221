"""Images where they are kept: references in one normal form, registries, layouts."""

from sekisho.oci.reference import Reference, parse_reference

__all__ = ["Reference", "parse_reference"]
