"""`python -m pulumi_aws_double COMMAND`."""

import sys

from pulumi_aws_double.command import main

if __name__ == "__main__":
    sys.exit(main())
