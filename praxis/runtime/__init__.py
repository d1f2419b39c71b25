"""What `make run` uses: embedded PostgreSQL and NATS, the supervision of processes, and the `praxis` command."""
