"""The screens. They show what vision says and say nothing of their own; no pixel leaves them."""
