"""Decode a data set once, or check it: python prepare.py data=pairs data.root=DIR [check=true]"""

from sketch2paint.commands.prepare import main

if __name__ == "__main__":
    main()
