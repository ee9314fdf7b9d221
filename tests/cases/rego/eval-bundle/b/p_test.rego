package p

test_y if y == 1
