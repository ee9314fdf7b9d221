package a

# METADATA
# scope: nowhere
p := 1
