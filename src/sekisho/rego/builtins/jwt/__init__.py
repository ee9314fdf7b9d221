"""io.jwt.*: tokens decoded, verified and signed."""
