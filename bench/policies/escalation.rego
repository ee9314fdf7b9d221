package template

violation contains {"msg": msg, "details": {}} if {
	some c in containers
	not exempt(c)
	may_escalate(c)
	msg := sprintf("Privilege escalation container is not allowed: %v", [c.name])
}

may_escalate(c) if c.securityContext.privileged

may_escalate(c) if "SYS_ADMIN" in c.securityContext.capabilities.add

may_escalate(c) if c.securityContext.allowPrivilegeEscalation == true

exempt(c) if {
	some pattern in input.parameters.exemptImages
	startswith(c.image, trim_suffix(pattern, "*"))
}

containers contains c if some c in input.review.object.spec.containers

containers contains c if some c in input.review.object.spec.initContainers

containers contains c if some c in input.review.object.spec.ephemeralContainers
