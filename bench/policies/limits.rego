package template

exempt(container) if {
	pattern := input.parameters.exemptImages[_]
	matches(container.image, pattern)
}

matches(image, pattern) if {
	not endswith(pattern, "*")
	image == pattern
}

matches(image, pattern) if {
	endswith(pattern, "*")
	startswith(image, trim_suffix(pattern, "*"))
}

missing(obj, field) if not obj[field]

missing(obj, field) if obj[field] == ""

canonify_cpu(orig) := new if {
	is_number(orig)
	new := orig * 1000
}

canonify_cpu(orig) := new if {
	not is_number(orig)
	endswith(orig, "m")
	new := to_number(replace(orig, "m", ""))
}

canonify_cpu(orig) := new if {
	not is_number(orig)
	not endswith(orig, "m")
	regex.match("^[0-9]+(\\.[0-9]+)?$", orig)
	new := to_number(orig) * 1000
}

mem_multiple("E") := 1000000000000000000000

mem_multiple("P") := 1000000000000000000

mem_multiple("T") := 1000000000000000

mem_multiple("G") := 1000000000000

mem_multiple("M") := 1000000000

mem_multiple("k") := 1000000

mem_multiple("") := 1000

mem_multiple("m") := 1

mem_multiple("Ki") := 1024000

mem_multiple("Mi") := 1048576000

mem_multiple("Gi") := 1073741824000

mem_multiple("Ti") := 1099511627776000

get_suffix(mem) := suffix if {
	is_string(mem)
	count(mem) > 0
	suffix := substring(mem, count(mem) - 1, -1)
	mem_multiple(suffix)
}

get_suffix(mem) := suffix if {
	is_string(mem)
	count(mem) > 1
	suffix := substring(mem, count(mem) - 2, -1)
	mem_multiple(suffix)
}

get_suffix(mem) := suffix if {
	is_string(mem)
	count(mem) > 1
	not mem_multiple(substring(mem, count(mem) - 1, -1))
	not mem_multiple(substring(mem, count(mem) - 2, -1))
	suffix := ""
}

get_suffix(mem) := "" if is_number(mem)

canonify_mem(orig) := new if {
	is_number(orig)
	new := orig * 1000
}

canonify_mem(orig) := new if {
	not is_number(orig)
	suffix := get_suffix(orig)
	raw := replace(orig, suffix, "")
	regex.match("^[0-9]+(\\.[0-9]+)?$", raw)
	new := to_number(raw) * mem_multiple(suffix)
}

violation contains {"msg": msg} if general_violation[{"msg": msg, "field": "containers"}]

violation contains {"msg": msg} if general_violation[{"msg": msg, "field": "initContainers"}]

general_violation contains {"msg": msg, "field": field} if {
	container := input.review.object.spec[field][_]
	not exempt(container)
	not container.resources.limits
	msg := sprintf("container <%v> has no resource limits", [container.name])
}

general_violation contains {"msg": msg, "field": field} if {
	container := input.review.object.spec[field][_]
	not exempt(container)
	missing(container.resources.limits, "cpu")
	msg := sprintf("container <%v> has no cpu limit", [container.name])
}

general_violation contains {"msg": msg, "field": field} if {
	container := input.review.object.spec[field][_]
	not exempt(container)
	missing(container.resources.limits, "memory")
	msg := sprintf("container <%v> has no memory limit", [container.name])
}

general_violation contains {"msg": msg, "field": field} if {
	container := input.review.object.spec[field][_]
	not exempt(container)
	cpu_orig := container.resources.limits.cpu
	cpu := canonify_cpu(cpu_orig)
	max_cpu := canonify_cpu(input.parameters.cpu)
	cpu > max_cpu
	msg := sprintf("container <%v> cpu limit <%v> is higher than the maximum allowed of <%v>", [container.name, cpu_orig, input.parameters.cpu])
}

general_violation contains {"msg": msg, "field": field} if {
	container := input.review.object.spec[field][_]
	not exempt(container)
	mem_orig := container.resources.limits.memory
	mem := canonify_mem(mem_orig)
	max_mem := canonify_mem(input.parameters.memory)
	mem > max_mem
	msg := sprintf("container <%v> memory limit <%v> is higher than the maximum allowed of <%v>", [container.name, mem_orig, input.parameters.memory])
}
