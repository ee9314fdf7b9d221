"""The codes of this package: KUB001-KUB099. KUB100 and up are the schema's, in ``kube.schema.codes``."""

from __future__ import annotations

from typing import Final

from sekisho.diag import Blame, register

NOT_AN_OBJECT: Final = register("KUB001", "the document is not a Kubernetes object")
BAD_API_VERSION: Final = register("KUB002", "apiVersion or kind is missing or malformed")
BAD_METADATA: Final = register("KUB003", "the object's metadata is malformed")
NO_NAME: Final = register("KUB004", "the object has no name", finding=True)
BAD_NAME: Final = register("KUB005", "the object's name is not allowed", finding=True)

BAD_LABEL_SELECTOR: Final = register("KUB010", "a label selector is invalid")
BAD_SELECTOR_TEXT: Final = register("KUB011", "a selector's text cannot be parsed")
BAD_FIELD_SELECTOR: Final = register("KUB012", "a field selector cannot be parsed")

BAD_QUANTITY: Final = register("KUB020", "a quantity cannot be parsed")

BAD_PATCH: Final = register("KUB030", "a patch is malformed")
PATCH_FAILED: Final = register("KUB031", "a patch cannot be applied")
PATCH_TEST_FAILED: Final = register("KUB032", "a patch's test operation failed")

UNKNOWN_FIELD: Final = register("KUB040", "a configuration object has an unknown field")
WRONG_TYPE: Final = register("KUB041", "a field of a configuration object has the wrong type")
MISSING_FIELD: Final = register("KUB042", "a configuration object lacks a required field")
BAD_VALUE: Final = register("KUB043", "a field of a configuration object has a value that is not allowed")

EXPIRED_WAIVER: Final = register("KUB070", "a waiver has expired")
UNUSED_WAIVER: Final = register("KUB071", "a waiver waives nothing")
WIDE_WAIVER: Final = register("KUB072", "a waiver is too wide")
WAIVER_NOT_GRANTED: Final = register("KUB073", "an annotation waives what no WaiverGrant lets it waive")
BAD_WAIVER_NOTE: Final = register("KUB074", "an annotation that waives policies is malformed")

COULD_NOT_ASK: Final = register("KUB050", "a reviewer could not judge the object", blame=Blame.ENVIRONMENT)
REVIEWER_FAILED: Final = register("KUB051", "a reviewer failed unexpectedly", blame=Blame.BUG)
OUT_OF_TIME: Final = register("KUB052", "there was no time left to judge the object", blame=Blame.ENVIRONMENT)
BAD_REVIEW: Final = register("KUB053", "an AdmissionReview is malformed")
