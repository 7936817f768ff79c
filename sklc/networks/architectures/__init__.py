"""Networks that encode light curves, one file each."""
