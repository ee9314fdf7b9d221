"""Public keys and signatures over stored bytes."""
