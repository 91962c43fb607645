"""HTTP: what hayflick offers to other programs."""
