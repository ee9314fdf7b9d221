package template

violation contains {"msg": msg, "details": {}} if {
	some setting in input.review.object.spec.securityContext.sysctls
	forbidden(setting.name)
	msg := sprintf("The sysctl %v is not allowed, pod: %v", [setting.name, input.review.object.metadata.name])
}

forbidden(name) if {
	some pattern in input.parameters.forbidden
	glob.match(pattern, ["."], name)
}
