"""The catalogue: which items the practice keeps, in which unit they are counted, in which packs they come."""
