# Who may do what in the shop, from role bindings in the data.
package rbac

default allow := false

allow if {
	some role in user_roles
	some grant in roles[role]
	input.action in grant.actions
	glob.match(grant.resource, ["/"], input.resource)
}

user_roles contains binding.role if {
	some binding in bindings
	binding.user == input.user
}

bindings := [
	{"user": "mika", "role": "storefront"},
	{"user": "ren", "role": "auditor"},
]

roles := {
	"storefront": [
		{"actions": {"get", "update"}, "resource": "shop/*"},
		{"actions": {"get"}, "resource": "payments/api"},
	],
	"auditor": [{"actions": {"get"}, "resource": "**"}],
}
