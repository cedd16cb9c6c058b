"""Find directions of a style: python explore.py checkpoint=runs/NAME input=DIR output=OUT"""

from sketch2paint.commands.explore import main

if __name__ == "__main__":
    main()
