package broken

deny contains msg if {
	not input.labels[key]
	msg := sprintf("the label %v is missing", [key])
}
