package t

test_x if true

test_x if true
