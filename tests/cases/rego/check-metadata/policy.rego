package shop

# METADATA
# title: Who may enter
# scope: document
allow if input.user == "alice"

# METADATA
# title: Who may come in
# scope: document
allow if input.user == "bob"
