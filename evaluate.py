"""Measure generators: python evaluate.py checkpoint=runs/A[,runs/B] data.root=DIR [split=val]"""

from sketch2paint.commands.evaluate import main

if __name__ == "__main__":
    main()
