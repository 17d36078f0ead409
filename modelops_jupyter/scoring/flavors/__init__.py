"""The kinds of model: each module says how one is recognised, written, read and asked (see `formats.Flavor`)."""
