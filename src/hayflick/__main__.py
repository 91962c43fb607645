"""``python -m hayflick`` is ``hayflick``."""

from hayflick.cli.main import run

if __name__ == "__main__":
    run()
