"""What trained, pruned and attacked models do."""
