"""The screens of a sale. Each shows a snapshot of the sale and emits what was touched; none makes decisions."""
