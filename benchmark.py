"""Measure speed: python benchmark.py what=step|loader|fit|predict|start [json=FILE]"""

from sketch2paint.commands.benchmark import main

if __name__ == "__main__":
    main()
