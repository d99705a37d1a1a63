"""The devices of a sale: their interfaces and drivers."""
