"""System calls of a program, followed by ptrace."""
