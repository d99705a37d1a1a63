"""The camera picture with faces and estimates drawn on it."""
