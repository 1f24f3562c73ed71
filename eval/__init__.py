"""Is it any good? Questions, measures, yardsticks and benchmarks, all offline."""
