package shop

ancestors contains parent if {
	some child in ancestors
	parent := input.parent[child]
}

everything := data.shop[_]
