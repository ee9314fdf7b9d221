"""What both policy compilers share: the meter, RE2, building Python code, the program cache."""
