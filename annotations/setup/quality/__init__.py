"""Quality control in the set-up: what a study declares, and how its pages are laid out for it at the launch."""
