"""Training a grid: in this process, or with Ray on one machine or many."""
