"""strings.render_template: Go's text/template, as far as OPA allows it."""
