"""Which of two texts is better: strengths with ties and covariates, orders, how fragile a first place is."""
