"""Built-in objects of one version in another one, where the versions differ in shape."""

from sekisho.kube.conversions.versions import FAMILIES, Convert, Family, converted

__all__ = ["FAMILIES", "Convert", "Family", "converted"]
