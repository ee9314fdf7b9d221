"""crypto.x509.* and keys: certificates, requests and keys in Go's shapes; chains verified."""
