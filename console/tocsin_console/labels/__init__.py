"""Files of labels, scores and feedback: read row by row, looked up, recorded, and reported on."""
