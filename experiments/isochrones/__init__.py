"""Where the small tables of `filar.populations` come from."""
