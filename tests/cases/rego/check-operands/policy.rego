package shop

large(order) if order.total > 100

allow if {
	startwith(input.user)
	startswith(input.user)
	large(input.order, 100)
}
