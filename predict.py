"""Colour sketches: python predict.py checkpoint=runs/NAME input=DIR output=OUT"""

from sketch2paint.commands.predict import main

if __name__ == "__main__":
    main()
