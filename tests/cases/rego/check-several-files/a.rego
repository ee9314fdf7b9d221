package a

x {
