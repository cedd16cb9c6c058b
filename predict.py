"""Colour sketches: python predict.py input=DIR output=OUT [checkpoint=runs/NAME]"""

from sketch2paint.commands.predict import main

if __name__ == "__main__":
    main()
