"""What each slot sells, in which currency."""
