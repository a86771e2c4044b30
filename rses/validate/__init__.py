"""How far the numbers of a protocol can be trusted: what is known beforehand, tried on the weights that are there."""
