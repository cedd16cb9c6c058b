"""Colour drawings in the browser: python studio.py [checkpoint=runs/NAME] [single_file=true]"""

from sketch2paint.commands.studio import main

if __name__ == "__main__":
    main()
