"""Ratings as ordered categories: the cumulative-logit model with crossed effects, and how strict evaluators are."""
