"""Public data sets: where they are, how they come here, and how their files become images and labels."""
