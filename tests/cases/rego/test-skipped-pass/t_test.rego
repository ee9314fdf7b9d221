package t

todo_test_x if true
