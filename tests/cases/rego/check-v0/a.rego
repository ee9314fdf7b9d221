package a

p[x] { x := input.y }
