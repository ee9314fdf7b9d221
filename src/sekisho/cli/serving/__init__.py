"""``sekisho serve``: the processes, and what each of them does."""
