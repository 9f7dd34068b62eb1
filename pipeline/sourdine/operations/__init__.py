"""How a service is run: what it writes into its log, what it shows of itself, and how it ends when it must."""
