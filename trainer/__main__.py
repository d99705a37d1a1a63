"""`python -m trainer`, which is also what `torchrun -m trainer` starts."""

from trainer.cli import main

main(prog_name="trainer")
