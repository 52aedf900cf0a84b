"""Muon: momentum whose matrix update is replaced by its nearest orthogonal matrix.

Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers"; Newton-Schulz coefficients from there.
"""

import torch


def orthogonalise(matrices: torch.Tensor, steps: int = 4) -> torch.Tensor:
    """`matrices [n, rows, columns]` with rows ≤ columns → singular values near one."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


class Muon:
    """Matrices of one shape are orthogonalised together."""

    def __init__(self, parameters, momentum: float = 0.95):
        self.momentum = momentum
        self.groups = {}
        for parameter in parameters:
            self.groups.setdefault(tuple(parameter.shape), []).append(parameter)
        self.buffers = {shape: torch.zeros(len(group), *shape) for shape, group in self.groups.items()}

    def step(self, rate: float, workers) -> None:
        list(workers.map(lambda shape: self._step_group(shape, rate), self.groups))

    @torch.no_grad()
    def _step_group(self, shape, rate: float) -> None:
        group = self.groups[shape]
        gradient, buffer = torch.stack([p.grad for p in group]), self.buffers[shape]
        buffer.lerp_(gradient, 1 - self.momentum)
        update = gradient.lerp(buffer, self.momentum)
        tall = shape[0] > shape[1]
        update = orthogonalise(update.mT if tall else update)
        update = (update.mT if tall else update) * max(1.0, shape[0] / shape[1]) ** 0.5
        for parameter, change in zip(group, update):
            parameter.sub_(rate * change)

    def state_dict(self):
        return self.buffers

    def load_state_dict(self, buffers):
        self.buffers = buffers
