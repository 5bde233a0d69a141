"""MLServer with one fault each: the conforming Kafka server, and one thing that it does wrong."""
