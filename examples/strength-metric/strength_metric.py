"""A third party's metric for ``rses score``: how much the edit changed inside the region."""

from rses.table import MetricInfo


def strength(batch):
    """Return one number per sample of a :class:`rses.functional.batch.Batch`, whose tensors are all of one size."""
    change = (batch.pred - batch.sources).abs().mean(dim=1, keepdim=True)
    return (change * batch.region).sum(dim=(1, 2, 3)) / batch.region.sum(dim=(1, 2, 3))


INFO = MetricInfo(
    name="strength",
    title="strength",
    higher_is_better=True,
    needs=("source",),
    description="Mean absolute change inside the region, on [0, 1].",
    formula="sum(M * |p - x|) / (3 * sum(M))",
    bounds=(0, 1),
    function=strength,
)
