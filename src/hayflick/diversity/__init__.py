"""Turn vectors and counts into measures of diversity."""
