package template

identical(obj, review) if {
	obj.metadata.namespace == review.object.metadata.namespace
	obj.metadata.name == review.object.metadata.name
}

violation contains {"msg": msg} if {
	input.review.kind.kind == "Ingress"
	regex.match("^(extensions|networking.k8s.io)$", input.review.kind.group)
	host := input.review.object.spec.rules[_].host
	other := data.inventory.namespace[_][otherapiversion]["Ingress"][name]
	regex.match("^(extensions|networking.k8s.io)/.+$", otherapiversion)
	other.spec.rules[_].host == host
	not identical(other, input.review)
	msg := sprintf("ingress host conflicts with an existing ingress <%v>", [host])
}
