"""Measure speed: python benchmark.py what=step|scale|loader|fit|predict|... [json=FILE]"""

from sketch2paint.commands.benchmark import main

if __name__ == "__main__":
    main()
