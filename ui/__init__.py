"""What a person sees: Qt widgets and nothing else."""
