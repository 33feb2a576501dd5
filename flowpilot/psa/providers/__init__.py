"""The ticket systems that pushes go to, each behind the interface of `base`."""
