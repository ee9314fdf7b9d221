"""graphql.*: documents in gqlparser's shape, schemas, validation."""
