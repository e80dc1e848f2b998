"""What forepass would have said on earlier days, scored against what came."""
