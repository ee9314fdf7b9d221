package a

p := x if {
	x := data.x with data.x.y as 1
}
