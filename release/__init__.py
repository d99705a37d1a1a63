"""What a release needs beside its tools; `make release` uses it."""
