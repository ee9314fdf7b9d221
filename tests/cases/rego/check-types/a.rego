package a

z := 1 + "a"

count_of := count(7)
