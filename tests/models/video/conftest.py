"""One thread for tensors: tests run side by side, and these models are too small to share out."""

import torch

torch.set_num_threads(1)
