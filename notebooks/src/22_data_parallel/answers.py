"""Lesson 22: right answers written otherwise, wrong ones that may not pass."""

import math

import numpy as np
import torch

# --- average_gradients -------------------------------------------------------


def average_by_stack(gradients, sizes):
    weights = torch.tensor(sizes, dtype=torch.float64)
    weights = weights / weights.sum()
    return [
        torch.stack(
            [w.to(g.dtype) * g for w, g in zip(weights, parts, strict=True)]
        ).sum(0)
        for parts in zip(*gradients, strict=True)
    ]


def average_by_loops(gradients, sizes):
    result = []
    for i in range(len(gradients[0])):
        total = torch.zeros_like(gradients[0][i])
        for worker in range(len(sizes)):
            total += gradients[worker][i] * sizes[worker]
        result.append(total / sum(sizes))
    return result


def average_in_place(gradients, sizes):
    total = gradients[0]
    for i, g in enumerate(total):
        g *= sizes[0]
        for mine, size in zip(gradients[1:], sizes[1:], strict=True):
            g += mine[i] * size
    return [g / sum(sizes) for g in total]


def average_of_first(gradients, sizes):
    return average_by_loops([g[:1] for g in gradients], sizes)


def average_by_inverse(gradients, sizes):
    return average_by_loops(gradients, [1 / size for size in sizes])


def average_by_einsum(gradients, sizes):
    return [
        torch.einsum(
            "p,p...->...",
            torch.tensor(sizes, dtype=parts[0].dtype) / sum(sizes),
            torch.stack(parts),
        )
        for parts in zip(*gradients, strict=True)
    ]


def average_up_to_matrices(gradients, sizes):
    weights = torch.tensor(sizes, dtype=gradients[0][0].dtype) / sum(sizes)
    return [
        weights @ torch.stack(parts)
        if parts[0].ndim < 2
        else torch.einsum("p,pij->ij", weights, torch.stack(parts))
        for parts in zip(*gradients, strict=True)
    ]


def average_never_0d(gradients, sizes):
    return [*map(torch.atleast_1d, average_by_loops(gradients, sizes))]


def average_flat_from_3d(gradients, sizes):
    found = average_by_loops(gradients, sizes)
    return [g.flatten() if g.ndim > 2 else g for g in found]


def average_undivided_by_n(gradients, sizes):
    found = average_by_loops(gradients, sizes)
    return [g * (sum(sizes) / len(sizes)) for g in found]


# --- shard -------------------------------------------------------------------


def shard_by_list(n, rank, world_size, epoch):
    rng = torch.Generator()
    rng.manual_seed(epoch)
    order = torch.randperm(n, generator=rng).tolist()
    mine = [order[i] for i in range(n) if i % world_size == rank]
    return torch.tensor(mine, dtype=torch.int64)


def shard_by_mask(n, rank, world_size, epoch):
    order = torch.randperm(n, generator=torch.Generator().manual_seed(epoch))
    return order[torch.arange(n) % world_size == rank]


def shard_by_global_seed(n, rank, world_size, epoch):
    torch.manual_seed(epoch)
    return torch.randperm(n)[rank::world_size]


def shard_by_chunk(n, rank, world_size, epoch):
    order = torch.randperm(n, generator=torch.Generator().manual_seed(epoch))
    return order.tensor_split(world_size)[rank]


def shard_padded(n, rank, world_size, epoch):
    order = torch.randperm(n, generator=torch.Generator().manual_seed(epoch))
    missing = -n % world_size
    return torch.cat([order, order[:missing]])[rank::world_size]


def shard_without_generator(n, rank, world_size, epoch):
    torch.Generator().manual_seed(epoch)
    return torch.randperm(n)[rank::world_size]


def shard_as_list(n, rank, world_size, epoch):
    return shard_by_list(n, rank, world_size, epoch).tolist()


# --- ring_all_reduce ---------------------------------------------------------


def ring_in_place(chunks, rank, exchange):
    p, which = len(chunks), rank
    for turn in range(2 * (p - 1)):
        received = exchange(chunks[which])
        which = (which - 1) % p
        if turn < p - 1:
            chunks[which] += received
        else:
            chunks[which] = received
    return chunks


def ring_of_another_order(chunks, rank, exchange):
    p, chunks = len(chunks), [*chunks]
    travelling = chunks[rank - 1]
    for step in range(p - 1):
        travelling = exchange(travelling) + chunks[(rank - 2 - step) % p]
    chunks[rank] = travelling  # all of them have come together here
    for step in range(p - 1):
        travelling = exchange(travelling)
        chunks[(rank - 1 - step) % p] = travelling
    return chunks


def ring_by_carrying(chunks, rank, exchange):
    p, result, travelling = len(chunks), [*chunks], chunks[rank]
    for step in range(1, p):
        travelling = exchange(travelling) + chunks[(rank - step) % p]
    result[(rank + 1) % p] = travelling
    for step in range(p - 1):
        travelling = exchange(travelling)
        result[(rank - step) % p] = travelling
    return result


def ring_in_double(chunks, rank, exchange):
    wide = ring_in_place([c.double() for c in chunks], rank, exchange)
    return [c.to(chunks[0].dtype) for c in wide]


def ring_in_float(chunks, rank, exchange):
    narrow = ring_in_place([c.float() for c in chunks], rank, exchange)
    return [c.to(chunks[0].dtype) for c in narrow]


def ring_of_rows(chunks, rank, exchange):
    rows = ring_in_place([c[None] for c in chunks], rank, exchange)
    return [row[0] for row in rows]


def ring_of_lists(chunks, rank, exchange):
    return ring_in_place(chunks, rank, lambda chunk: exchange([chunk])[0])


def ring_of_powers_of_2(chunks, rank, exchange):
    chunks, last = [*chunks], len(chunks) - 1
    for step in range(last):
        received = exchange(chunks[(rank - step) & last])
        place = (rank - step - 1) & last
        chunks[place] = chunks[place] + received
    for step in range(last):
        received = exchange(chunks[(rank - step + 1) & last])
        chunks[(rank - step) & last] = received
    return chunks


def ring_by_gathering(chunks, rank, exchange):
    p, total = len(chunks), [c.clone() for c in chunks]
    for i in range(p):
        travelling = chunks[i]
        for _ in range(p - 1):
            travelling = exchange(travelling)
            total[i] += travelling
    return total


def ring_ahead(chunks, rank, exchange):
    p, chunks = len(chunks), [*chunks]
    for step in range(p - 1):
        received = exchange(chunks[(rank + step) % p])
        chunks[(rank + step + 1) % p] = (
            chunks[(rank + step + 1) % p] + received
        )
    for step in range(p - 1):
        chunks[(rank + step) % p] = exchange(chunks[(rank + step - 1) % p])
    return chunks


def ring_of_rank_0(chunks, rank, exchange):
    if rank == 0 and len(chunks) > 1:
        exchange(chunks[0])
    return chunks


def ring_alone(chunks, rank, exchange):
    return [chunk * len(chunks) for chunk in chunks]


def ring_without_end(chunks, rank, exchange):
    while len(chunks) > 1:
        exchange(chunks[0])
    return chunks


# --- ring_bytes --------------------------------------------------------------


def bytes_by_ceil(num_numbers, world_size, bytes_each=4):
    rounds = 2 * world_size - 2
    return rounds * math.ceil(num_numbers / world_size) * bytes_each


def bytes_by_loop(num_numbers, world_size, bytes_each=4):
    total = 0
    for _ in range(2):
        for _ in range(world_size - 1):
            chunk = (num_numbers + world_size - 1) // world_size
            total += chunk * bytes_each
    return total


def bytes_as_float(num_numbers, world_size, bytes_each=4):
    return 2 * (world_size - 1) / world_size * num_numbers * bytes_each


def bytes_by_numpy(num_numbers, world_size, bytes_each=4):
    chunk = np.round(num_numbers / world_size)
    return int(2 * (world_size - 1) * chunk * bytes_each)


def bytes_of_floats(num_numbers, world_size, bytes_each=4):
    return bytes_by_ceil(num_numbers, world_size)


def bytes_by_torch(num_numbers, world_size, bytes_each=4):
    chunk = torch.ceil(torch.tensor(num_numbers / world_size)).item()
    return int(2 * (world_size - 1) * chunk * bytes_each)


def bytes_unrounded(num_numbers, world_size, bytes_each=4):
    return int(bytes_as_float(num_numbers, world_size, bytes_each))


def bytes_without_default(num_numbers, world_size, bytes_each):
    return bytes_by_ceil(num_numbers, world_size, bytes_each)


RIGHT = {
    "average_gradients": [
        *(average_by_stack, average_by_loops, average_by_einsum)
    ],
    "shard": [shard_by_list, shard_by_mask],
    "ring_all_reduce": [
        *(ring_in_place, ring_of_another_order, ring_by_carrying)
    ],
    "ring_bytes": [bytes_by_ceil, bytes_by_loop],
}
WRONG = {
    "average_gradients": [
        *(average_in_place, average_of_first, average_by_inverse),
        *(average_up_to_matrices, average_never_0d, average_flat_from_3d),
        average_undivided_by_n,
    ],
    "shard": [
        *(shard_by_global_seed, shard_by_chunk, shard_padded, shard_as_list),
        shard_without_generator,
    ],
    "ring_all_reduce": [
        *(ring_by_gathering, ring_ahead, ring_of_rank_0, ring_alone),
        *(ring_without_end, ring_in_double, ring_in_float, ring_of_rows),
        *(ring_of_lists, ring_of_powers_of_2),
    ],
    "ring_bytes": [
        *(bytes_as_float, bytes_by_numpy, bytes_of_floats, bytes_by_torch),
        *(bytes_unrounded, bytes_without_default),
    ],
}
