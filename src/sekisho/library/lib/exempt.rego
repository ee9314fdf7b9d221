package lib.exempt

import data.lib.patterns

# Whether the constraint leaves a container out, by its image.
image(container) if {
	some pattern in input.parameters.exemptImages
	patterns.matches(container.image, pattern)
}
