package a

p := count(input)
