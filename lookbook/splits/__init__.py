"""The processed splits on disk, the contract between preprocess and all that comes after.

    data/processed/spec.json
    data/processed/SHA256SUMS                 the hash of each file, checked when a split is opened
    data/processed/<split>/images-00000.npy   uint8 (n, height, width, channels), at most 64 MiB
    data/processed/<split>/labels-00000.npy   int32 (n,), class indices
    data/processed/<split>/index-00000.csv    id, source and label of each picture, in this order

In come pixels, ids and labels (`writing.SplitWriter`); out come batches by index (`split.Split`),
and what the splits are (`spec.Spec`). No split is ever loaded whole. Scaling and the target form
are recorded in spec.json and applied when a batch is made or, for the scaling, as the first layer
of a model.
"""
