"""Payment terminal, dispenser and ID check: their protocols and drivers."""
