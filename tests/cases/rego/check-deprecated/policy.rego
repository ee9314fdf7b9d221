package shop

allow if any(input.approvals)
