"""Key areas: dated lists of places, against which a stay is screened as of its days."""
