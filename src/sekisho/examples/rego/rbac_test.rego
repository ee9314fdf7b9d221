package rbac_test

import data.rbac

test_storefront_updates_its_own if {
	rbac.allow with input as {"user": "mika", "action": "update", "resource": "shop/frontend"}
}

test_storefront_does_not_update_payments if {
	not rbac.allow with input as {"user": "mika", "action": "update", "resource": "payments/api"}
}

test_auditor_reads_everything if {
	rbac.allow with input as {"user": "ren", "action": "get", "resource": "payments/ledger/2026"}
}

test_nobody_else if {
	not rbac.allow with input as {"user": "kai", "action": "get", "resource": "shop/frontend"}
}
