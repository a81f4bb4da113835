"""What an operator sets: settings classes, how they are read, shown and kept."""
