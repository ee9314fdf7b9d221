package a

test_no if 1 == 2
