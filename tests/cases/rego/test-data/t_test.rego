package t

test_cpu if data.limits.cpu == 2
