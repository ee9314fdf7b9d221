package a

x := y
