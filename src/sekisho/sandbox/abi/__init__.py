"""What the kernel's interfaces look like: numbers, flags, structures. No behaviour."""
