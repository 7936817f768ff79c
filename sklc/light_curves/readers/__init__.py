"""One file for each form that light curves are read from."""
