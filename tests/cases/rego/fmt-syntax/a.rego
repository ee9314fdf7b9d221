package a

p := 
