"""Colour a drawn shot: python animate.py input=SHOT output=OUT keys=DIR [checkpoint=runs/NAME]"""

from sketch2paint.commands.animate import main

if __name__ == "__main__":
    main()
