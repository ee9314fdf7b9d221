package a

p := x

q := y

r := z
