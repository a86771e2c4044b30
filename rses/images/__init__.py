"""Picture files and arrays: decoding, colour, tensors, masks and regions."""
