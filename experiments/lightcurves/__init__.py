"""Light curves of seven kinds of variable stars, and cameras put together: against the truth."""
