"""sigstore-conformance's bundles against ``sekisho images verify-bundle``."""
