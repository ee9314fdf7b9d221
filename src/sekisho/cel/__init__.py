"""The Common Expression Language: parser, checker, compiler to Python, functions."""
