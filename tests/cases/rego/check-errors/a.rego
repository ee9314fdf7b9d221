package a

x := y

z := 1 + "a"
