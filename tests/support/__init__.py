"""What several tests share: doubles of what cannot run here, oracles, and readers of what people see."""
