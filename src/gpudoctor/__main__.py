"""`python -m gpudoctor`."""

from gpudoctor.cli.main import main

main()
