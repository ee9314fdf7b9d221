package old

deny[msg] { msg := input.x }
