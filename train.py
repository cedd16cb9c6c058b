"""Train a generator: python train.py [data=pairs data.root=DIR] [trainer.gpus=1] [key=value ...]"""

from sketch2paint.commands.train import main

if __name__ == "__main__":
    main()
