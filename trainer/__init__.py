"""The offline program: it prepares data, trains FacialNet, measures it and compiles it."""
