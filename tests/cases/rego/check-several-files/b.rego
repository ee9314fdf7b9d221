pack b
