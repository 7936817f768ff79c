"""``python -m sklc.pretrain``."""

from sklc.pretrain.command_line import main

if __name__ == "__main__":
    main()
