package shop_test

import data.shop

test_alice_reads if shop.allow with input as {"user": "alice", "method": "GET"}

test_bob_reads if {
	print("bob is", {"user": "bob"})
	trace("bob is nobody")
	shop.allow with input as {"user": "bob", "method": "GET"}
}

test_methods[name] if {
	some name, method in {"get": "GET", "head": "HEAD", "post": "POST"}
	shop.allow with input as {"user": "alice", "method": method}
}

test_conflict := x if some x in [1, 2]

todo_test_admins if shop.allow
