package shop

roles := {"alice": "admin"}

allow if roles[input.user] == "admin"

test_guest if {
	not allow with data.shop.roles.alice as "guest"
}

test_sent if {
	allow with http.sent as {"status_code": 200}
}
