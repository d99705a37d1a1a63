"""One module a screen. Each shows a snapshot of the sale and tells what was touched; none decides anything."""
