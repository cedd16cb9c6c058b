"""Export a network: python export.py checkpoint=runs/NAME format=onnx output=generator.onnx"""

from sketch2paint.commands.export import main

if __name__ == "__main__":
    main()
