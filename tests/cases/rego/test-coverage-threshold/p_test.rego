package p_test

import data.p

test_admin if p.allow with input as {"roles": ["admin"]}
test_nobody if not p.allow with input as {"roles": ["x"]}
test_names if p.names == {"A"} with input as {"names": ["a"]}
test_f if {
	p.f(2) == 4
	p.f(0) == 5
}
