"""What has passed a gate becomes JSON and leaves: nothing else can be written from here."""
