"""What the benchmarks measure with: data, servers, load, and what comes of it."""
