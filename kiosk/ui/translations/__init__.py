"""Every text of the screens, and the translator that changes their language."""
