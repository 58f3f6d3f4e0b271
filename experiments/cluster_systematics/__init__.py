"""What a cluster model's answers are worth where images or stars are not those trained on."""
