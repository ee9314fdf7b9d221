package p

y := data.x.a
